import pc from 'picocolors';
import type { Endpoint } from '../core/endpoint.ts';
import { TraversalError } from '../index.ts';
import { nodeNetwork, startServer } from '../node.ts';
import { eachConnection, echo, tcpServer } from '../streams/index.ts';
import type { CommandContext } from './command.ts';
import { type DemoPeer, spawnDemoPeer } from './demo-peer.ts';
import { exchangeBytes } from './demo-transfer.ts';
import type { ExitCode } from './exit-code.ts';

/** Bytes that the demo sends each way. */
const TRANSFER = 32 * 2 ** 20;
/** ms for the whole demo. */
const PATIENCE = 30_000;

/** The loopback demo: a server here and two peers in processes of their own, on this machine's sockets. */
export async function realDemo({ reporter, signal }: CommandContext): Promise<ExitCode> {
  const startedAt = performance.now();
  const say = (who: string, what: string): void => {
    const t = (performance.now() - startedAt).toFixed(0).padStart(6);
    reporter.print(`${pc.dim(`${t} ms`)}  ${who.padEnd(10)} ${what}`);
  };
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
  const peers: DemoPeer[] = [];
  const server = await startServer({ port: 0, stunPort: 0 });
  const service = await startEchoService();
  try {
    say('rendezvous', `${server.url}, with STUN and a relay`);
    const listener = spawnDemoPeer(
      ['listen', '--no-map', '--server', server.url, '--forward', String(service.local.port)],
      deadline,
    );
    peers.push(listener);
    listener.onEvent((event) => say('listener', describe(event)));
    const { ticket } = await listener.until('ticket');
    const dialer = spawnDemoPeer(['connect', '-', '--no-map', '--forward', '0'], deadline);
    peers.push(dialer);
    dialer.onEvent((event) => say('dialer', describe(event)));
    dialer.write(`${ticket}\n`);
    const { port } = await dialer.until('forwarding');
    say('demo', `${TRANSFER / 2 ** 20} MiB through the connection to an echo service behind the listener, and back`);
    const { seconds, intact } = await exchangeBytes(Number(port), TRANSFER);
    if (!intact) throw new TraversalError('ERR_PROTOCOL', 'the bytes came back changed');
    say('demo', pc.green(`every byte came back, once and in order, in ${seconds.toFixed(2)} s`));
    const { kind } = await dialer.until('path', ({ kind }) => kind === 'direct');
    say('demo', pc.green(`both ends talk over a ${kind} path; the relay stands by`));
    return 0;
  } finally {
    for (const peer of peers.reverse()) await peer.stop();
    service.close();
    await server.close();
    say('demo', 'everything is closed');
  }
}

function describe(event: Readonly<Record<string, unknown>>): string {
  switch (event.event) {
    case 'ticket':
      return `ticket ${String(event.ticket).slice(0, 16)}…`;
    case 'state':
      return pc.dim(`state ${JSON.stringify(event.value).replaceAll('"', '')}`);
    case 'candidate':
      return `candidate ${event.type} ${event.address}`;
    case 'path': {
      const line = `${event.kind} path, ${event.transport} to ${event.remote}`;
      return event.kind === 'direct' ? pc.green(line) : pc.yellow(line);
    }
    case 'connected':
      return pc.bold('session established: both keys proven');
    case 'forwarding':
      return `forwards 127.0.0.1:${event.port}`;
    case 'verdict':
      return `verdict: ${event.summary}`;
    case 'error':
      return pc.red(`error ${event.code}: ${event.message}`);
    default:
      return String(event.event);
  }
}

async function startEchoService(): Promise<{ readonly local: Endpoint; close(): void }> {
  return new Promise((resolve, reject) => {
    const subscription = tcpServer(nodeNetwork(), {
      address: '127.0.0.1',
      onListening: (local) => resolve({ local, close: () => subscription.unsubscribe() }),
    })
      .pipe(eachConnection(echo, reject))
      .subscribe({ error: reject });
  });
}
