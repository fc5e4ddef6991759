import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { classifyAddress, parseIp } from '../core/ip-address.ts';
import { formatEndpoint, TraversalError } from '../index.ts';
import { type RunningServer, startServer } from '../node.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { type HostPort, parseHostPort } from './host-port.ts';
import { collect, parsePort } from './peer-options.ts';
import type { Reporter } from './reporter.ts';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly stunPort: number;
  readonly stunAlternate?: string;
  readonly token?: string;
  readonly open?: boolean;
  readonly name: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustProxy?: boolean;
  readonly metrics?: HostPort;
  readonly relay: boolean;
  readonly stun: boolean;
  readonly nats?: string;
  readonly verbose?: boolean;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the rendezvous server: WebSocket signalling, STUN and datagram relay')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'TCP port', parsePort, 8790)
    .option('--stun-port <port>', 'first of two ports for STUN, of UDP and of TCP', parsePort, 3478)
    .option('--stun-alternate <ip>', 'second address of this machine, so that clients can learn how their NAT filters')
    .option('--token <secret>', 'what clients must show')
    .option('--open', 'serve whoever comes, without a token')
    .option(
      '--name <host[:port]>',
      'what clients dial, so that registrations count here alone; may be repeated',
      collect,
      [],
    )
    .option('--tls-cert <file>', 'certificate chain in PEM, for wss')
    .option('--tls-key <file>', 'private key in PEM, for wss')
    .option('--trust-proxy', 'take the client’s address from what a proxy on a private address adds to X-Forwarded-For')
    .option('--metrics <host:port>', 'serve /metrics there, for whoever can reach it', parseHostPort)
    .option('--no-relay', 'relay no datagrams')
    .option('--no-stun', 'no STUN')
    .addOption(new Option('--nats <url>', 'NATS server (in a later version)').hideHelp())
    .option('--verbose', 'tell everything on stderr')
    .action((options: ServeOptions) => runCommand(options, (context) => serve(options, context)));
}

async function serve(options: ServeOptions, { reporter, signal }: CommandContext): Promise<ExitCode> {
  const { host, port, stunPort, stunAlternate, token, open = false, name: names, relay, stun, nats } = options;
  const { trustProxy = false, metrics } = options;
  if (nats !== undefined)
    throw new TraversalError('ERR_NOT_AVAILABLE', '--nats is not available in this version: leave it out');
  const tls = readTls(options);
  const server = await startServer({
    host,
    port,
    stunPort,
    open,
    names,
    relay,
    stun,
    trustProxy,
    log: reporter.log,
    ...(stunAlternate !== undefined && { stunAlternate }),
    ...(token !== undefined && { token }),
    ...(tls && { tls }),
    ...(metrics && { metrics }),
  });
  const stopTelling = tellOnSignal(server, reporter);
  reporter.print(`rendezvous ${server.url}`);
  for (const at of server.stun) reporter.print(`stun ${formatEndpoint(at)}`);
  for (const at of server.stun) reporter.print(`stun-tcp ${formatEndpoint(at)}`);
  reporter.print(`relay ${relay ? 'on' : 'off'}`);
  if (names.length === 0 && tls === undefined && !isLoopback(server.url)) reporter.say(NAME_ADVICE);
  if (server.metricsAt) reporter.print(`metrics http://${formatEndpoint(server.metricsAt)}/metrics`);
  await whenAborted(signal);
  await server.close();
  stopTelling();
  return 0;
}

/** Writes the counters to stderr on SIGUSR2, which Windows does not have. Gives the function that stops it. */
function tellOnSignal(server: RunningServer, reporter: Reporter): () => void {
  if (process.platform === 'win32') return () => {};
  const tell = (): void => reporter.say(server.metrics().trimEnd());
  process.on('SIGUSR2', tell);
  return () => process.off('SIGUSR2', tell);
}

function isLoopback(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return parseIp(host) !== undefined && classifyAddress(host) === 'loopback';
}

const NAME_ADVICE =
  'advice: give the name that clients dial (--name meet.example.org), so that another server cannot register its listeners here';

function readTls({ tlsCert, tlsKey }: ServeOptions): { cert: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new TraversalError('ERR_USAGE', '--tls-cert and --tls-key go together');
  }
  return { cert: readPem(tlsCert), key: readPem(tlsKey) };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TraversalError('ERR_USAGE', `cannot read ${file}: ${String(error)}`, { cause: error });
  }
}
