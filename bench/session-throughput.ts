/**
 * One stream over loopback between two processes: Sallyport's session on real UDP sockets, beside TCP and TLS 1.3 of the same run.
 * Prints MB/s and CPU s/GB (user and system, both processes). Usage: npx tsx bench/session-throughput.ts [MB] [rounds]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as tcpConnect } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { firstValueFrom } from 'rxjs';
import { createIdentity } from '../src/adapters/node/identity.ts';
import { nodeNetwork } from '../src/adapters/node/index.ts';
import { selfSignedCertificate } from '../src/adapters/session/quic/certificate.ts';
import { quicSessions } from '../src/adapters/session/quic/index.ts';
import { endpoint } from '../src/core/endpoint.ts';
import type { DatagramSocket } from '../src/core/network.ts';
import type { Session } from '../src/core/session.ts';
import { toDuplex } from '../src/streams/session-stream.ts';

const TRANSPORTS = ['tcp', 'tls', 'session'] as const;
type Transport = (typeof TRANSPORTS)[number];
type Order = { transport: Transport; key: string };
type Answer = { port: number; key: string } | { bytes: number; cpu: number };

const HOST = '127.0.0.1';
const CHUNK = Buffer.alloc(2 ** 16, 0x5a);
const identity = createIdentity();
const credentials = { key: identity.privateKeyPem, cert: selfSignedCertificate(identity) };

if (process.send === undefined) await send(Number(process.argv[2] ?? 256), Number(process.argv[3] ?? 3));
else process.on('message', (order: Order) => void receive(order));

async function send(megabytes: number, rounds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url));
  const results = new Map<Transport, { speed: number; cpu: number }[]>();
  for (let round = 0; round < rounds; round++) {
    for (const transport of TRANSPORTS) {
      const result = await measure(child, transport, megabytes);
      results.set(transport, [...(results.get(transport) ?? []), result]);
    }
  }
  child.disconnect();
  report(megabytes, rounds, results);
}

async function measure(child: ChildProcess, transport: Transport, megabytes: number) {
  const listening = answer(child, 'port');
  child.send({ transport, key: hex(identity.publicKey) });
  const { port, key } = await listening;
  const { stream, close } = await open(transport, port, Buffer.from(key, 'hex'));
  const received = answer(child, 'bytes');
  const cpu = process.cpuUsage();
  const start = performance.now();
  await pipeline(Readable.from(chunks(megabytes)), stream);
  const { bytes, cpu: theirs } = await received;
  const seconds = (performance.now() - start) / 1000;
  await close();
  if (bytes !== megabytes * 1e6) throw new Error(`${transport}: ${bytes} bytes arrived`);
  return { speed: megabytes / seconds, cpu: ((cpuSeconds(cpu) + theirs) * 1000) / megabytes };
}

async function open(transport: Transport, port: number, key: Uint8Array) {
  if (transport === 'session') {
    const { session, close } = await joinSession('client', key, port);
    return { stream: toDuplex(await session.openStream('bench')), close };
  }
  const socket =
    transport === 'tcp'
      ? tcpConnect(port, HOST)
      : tlsConnect({ port, host: HOST, ca: credentials.cert, rejectUnauthorized: false });
  await once(socket, transport === 'tcp' ? 'connect' : 'secureConnect');
  return { stream: socket as Writable, close: async () => void socket.destroy() };
}

async function receive({ transport, key }: Order): Promise<void> {
  if (transport === 'session') {
    const { session, port, close } = await joinSession('server', Buffer.from(key, 'hex'));
    tell({ port, key: hex(identity.publicKey) });
    await drain(toDuplex(await firstValueFrom(session.streams$)));
    return close();
  }
  const server = transport === 'tcp' ? createServer() : createTlsServer(credentials);
  server.listen(0, HOST);
  await once(server, 'listening');
  tell({ port: (server.address() as { port: number }).port, key: '' });
  const [socket] = await once(server, transport === 'tcp' ? 'connection' : 'secureConnection');
  await drain(socket);
  server.close();
}

/** A session over a UDP socket of its own; a server learns the client's address from its first packet. */
async function joinSession(role: 'client' | 'server', expectedKey: Uint8Array, port?: number) {
  const socket: DatagramSocket = await nodeNetwork().udp({ family: 4, address: HOST });
  let peer = port === undefined ? undefined : endpoint(HOST, port);
  const factory = await quicSessions(identity);
  const session: Session = factory.create({
    role,
    expectedKey,
    transmit: (packet) => {
      if (peer !== undefined) socket.send(packet, peer);
    },
  });
  socket.datagrams$.subscribe(({ data, from }) => {
    peer ??= from;
    session.receive(data);
  });
  const close = async () => {
    if (role === 'client') session.close();
    await session.closed;
    socket.close();
  };
  return { session, port: socket.local.port, close };
}

async function drain(stream: Readable): Promise<void> {
  const cpu = process.cpuUsage();
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  tell({ bytes, cpu: cpuSeconds(cpu) });
}

function* chunks(megabytes: number): Generator<Uint8Array> {
  for (let left = megabytes * 1e6; left > 0; left -= CHUNK.length)
    yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
}

function report(megabytes: number, rounds: number, results: Map<Transport, { speed: number; cpu: number }[]>): void {
  const best = (transport: Transport) => results.get(transport)!.reduce((a, b) => (a.speed > b.speed ? a : b));
  const tls = best('tls');
  console.log(
    `${megabytes} MB over one stream, loopback, two processes, best of ${rounds}; Node ${process.versions.node}`,
  );
  console.table(
    Object.fromEntries(
      TRANSPORTS.map((transport) => {
        const { speed, cpu } = best(transport);
        return [
          transport,
          {
            'MB/s': round(speed),
            'CPU s/GB': round(cpu),
            'speed / TLS': round(speed / tls.speed),
            'CPU / TLS': round(cpu / tls.cpu),
          },
        ];
      }),
    ),
  );
}

/** The next message of the child that has this field. */
async function answer<K extends 'port' | 'bytes'>(child: ChildProcess, field: K) {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Answer];
    if (field in message) return message as Extract<Answer, Record<K, unknown>>;
  }
}

function tell(message: Answer): void {
  process.send?.(message);
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
