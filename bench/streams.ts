/**
 * What the streams cost: TCP echo throughput against plain `node:net`, and a UDP round trip against plain `node:dgram`,
 * in turn in one run on loopback, both ends in this process. Run: `npx tsx bench/streams.ts`.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { lastValueFrom, take, tap } from 'rxjs';
import { nodeNetwork } from '../src/adapters/node/index.ts';
import type { Endpoint } from '../src/core/endpoint.ts';
import { eachConnection, echo, tcpServer } from '../src/streams/index.ts';

const ROUNDS = 5;
const CHUNK = new Uint8Array(64 * 1024);
const CHUNKS = 8 * 1024;
const DATAGRAM = new Uint8Array(1200);
const ROUND_TRIPS = 50_000;
const LOOPBACK = '127.0.0.1';
const network = nodeNetwork();

await compare('TCP echo of 512 MiB', 'node:net', rawTcp, streamsTcp);
await compare('50,000 UDP round trips', 'node:dgram', rawUdp, streamsUdp);

async function compare(what: string, rawName: string, raw: () => Promise<number>, ours: () => Promise<number>) {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [rawTime, ourTime] = [await raw(), await ours()];
    console.log(`${what}: ${rawName} ${rawTime.toFixed(0)} ms, sallyport/streams ${ourTime.toFixed(0)} ms`);
    ratios.push(rawTime / ourTime);
  }
  const median = ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  console.log(`${what}: ${median.toFixed(2)} of the raw speed (median of ${ROUNDS} rounds)\n`);
}

async function rawTcp(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.setNoDelay().pipe(socket));
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, LOOPBACK)
    .setNoDelay()
    .resume();
  await once(client, 'connect');
  const start = performance.now();
  for (let sent = 0; sent < CHUNKS; sent++) {
    if (!client.write(CHUNK)) await once(client, 'drain');
  }
  client.end();
  await once(client, 'close');
  server.close();
  return performance.now() - start;
}

async function streamsTcp(): Promise<number> {
  let serving = { unsubscribe() {} };
  const { port } = await new Promise<Endpoint>((onListening, reject) => {
    serving = tcpServer(network, { address: LOOPBACK, onListening })
      .pipe(eachConnection(echo, reject))
      .subscribe({ error: reject });
  });
  const client = await network.connect({ host: LOOPBACK, port });
  client.bytes$.subscribe();
  const start = performance.now();
  for (let sent = 0; sent < CHUNKS; sent++) await client.write(CHUNK);
  await client.end();
  await client.closed;
  serving.unsubscribe();
  return performance.now() - start;
}

async function rawUdp(): Promise<number> {
  const [near, far] = [createSocket('udp4').bind(0, LOOPBACK), createSocket('udp4').bind(0, LOOPBACK)];
  await Promise.all([once(near, 'listening'), once(far, 'listening')]);
  const to = far.address().port;
  far.on('message', (data, from) => far.send(data, from.port, from.address));
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let trips = 0;
    near.on('message', (data) => (++trips === ROUND_TRIPS ? resolve() : near.send(data, to, LOOPBACK)));
    near.send(DATAGRAM, to, LOOPBACK);
  });
  near.close();
  far.close();
  return performance.now() - start;
}

async function streamsUdp(): Promise<number> {
  const [near, far] = [
    await network.udp({ family: 4, address: LOOPBACK }),
    await network.udp({ family: 4, address: LOOPBACK }),
  ];
  far.datagrams$.subscribe(({ data, from }) => far.send(data, from));
  const start = performance.now();
  const trips$ = near.datagrams$.pipe(
    take(ROUND_TRIPS),
    tap(({ data, from }) => near.send(data, from)),
  );
  const done = lastValueFrom(trips$);
  near.send(DATAGRAM, far.local);
  await done;
  near.close();
  far.close();
  return performance.now() - start;
}
