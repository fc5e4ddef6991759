import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { formatEndpoint, TraversalError } from '../index.ts';
import { startServer } from '../node.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { parsePort } from './peer-options.ts';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly stunPort: number;
  readonly stunAlternate?: string;
  readonly token?: string;
  readonly open?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
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
    .option('--stun-port <port>', 'first of two UDP ports for STUN', parsePort, 3478)
    .option('--stun-alternate <ip>', 'second address of this machine, so that clients can learn how their NAT filters')
    .option('--token <secret>', 'what clients must show')
    .option('--open', 'serve whoever comes, without a token')
    .option('--tls-cert <file>', 'certificate chain in PEM, for wss')
    .option('--tls-key <file>', 'private key in PEM, for wss')
    .option('--no-relay', 'relay no datagrams')
    .option('--no-stun', 'no STUN')
    .addOption(new Option('--nats <url>', 'NATS server (in a later version)').hideHelp())
    .option('--verbose', 'tell everything on stderr')
    .action((options: ServeOptions) => runCommand(options, (context) => serve(options, context)));
}

async function serve(options: ServeOptions, { reporter, signal }: CommandContext): Promise<ExitCode> {
  const { host, port, stunPort, stunAlternate, token, open = false, relay, stun, nats } = options;
  if (nats !== undefined)
    throw new TraversalError('ERR_NOT_AVAILABLE', '--nats is not available in this version: leave it out');
  const tls = readTls(options);
  const server = await startServer({
    host,
    port,
    stunPort,
    open,
    relay,
    stun,
    log: reporter.log,
    ...(stunAlternate !== undefined && { stunAlternate }),
    ...(token !== undefined && { token }),
    ...(tls && { tls }),
  });
  process.stdout.write(`rendezvous ${server.url}\n`);
  for (const at of server.stun) process.stdout.write(`stun ${formatEndpoint(at)}\n`);
  process.stdout.write(`relay ${relay ? 'on' : 'off'}\n`);
  await whenAborted(signal);
  await server.close();
  return 0;
}

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
