import type { Command } from 'commander';
import { type Connection, TraversalError } from '../index.ts';
import { nodeNetwork } from '../node.ts';
import { tcpServer } from '../streams/index.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import { dial, untimelyEnd } from './dial.ts';
import type { ExitCode } from './exit-code.ts';
import { addPeerOptions, type PeerCommandOptions, parsePort } from './peer-options.ts';
import { pipeStandardStreams } from './pipe.ts';
import { PIPE } from './protocols.ts';
import { createStandardInput, type StandardInput } from './standard-input.ts';
import { createStandardOutput } from './standard-output.ts';
import { exchangeLine, join } from './stream-jobs.ts';
import { readTicket } from './ticket-argument.ts';

interface ConnectOptions extends PeerCommandOptions {
  readonly forward?: number;
  readonly message?: string;
}

export function addConnect(program: Command): void {
  const command = program
    .command('connect')
    .description('connect to a listening peer: stdin to it, what it sends to stdout')
    .argument('[ticket]', 'the listener’s ticket, @file, - for the first line of stdin (default: SALLYPORT_TICKET)')
    .option('--forward <port>', 'listen on 127.0.0.1:<port> and carry each TCP connection to the peer', parsePort)
    .option('--message <text>', 'with --json: send one line, await one line back');
  addPeerOptions(command).action((ticket: string | undefined, options: ConnectOptions) =>
    runCommand(options, (context) => connect(ticket, options, context)),
  );
}

async function connect(
  argument: string | undefined,
  options: ConnectOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const { forward, message, json } = options;
  if (forward !== undefined && message !== undefined) {
    throw new TraversalError('ERR_USAGE', 'choose one of --forward and --message');
  }
  if (message !== undefined && !json) throw new TraversalError('ERR_USAGE', '--message goes with --json');
  const stdin = createStandardInput(context.signal);
  try {
    const ticket = await readTicket(argument, stdin, context.reporter.log);
    return await dial(ticket, options, context, (connection) => {
      if (forward !== undefined) return forwardPort(connection, forward, context);
      if (message !== undefined) return sendMessage(connection, message, context);
      if (json) return stay(connection, context);
      return pipe(connection, stdin, context);
    });
  } finally {
    stdin.release();
  }
}

async function pipe(connection: Connection, stdin: StandardInput, { signal }: CommandContext): Promise<ExitCode> {
  const stdout = createStandardOutput();
  signal.addEventListener('abort', stdout.release, { once: true });
  await pipeStandardStreams(await connection.openStream(PIPE), stdin, stdout);
  return 0;
}

async function sendMessage(connection: Connection, text: string, { reporter }: CommandContext): Promise<ExitCode> {
  const stream = await connection.openStream(PIPE);
  if (!(await exchangeLine(stream, text, reporter.message))) {
    throw new TraversalError('ERR_CLOSED', 'the other side ended the stream without an answer');
  }
  return 0;
}

/** Nothing to carry: keeps the connection until it ends or Ctrl-C. */
async function stay(connection: Connection, { signal }: CommandContext): Promise<ExitCode> {
  await Promise.race([whenAborted(signal), untimelyEnd(connection)]);
  return 0;
}

async function forwardPort(
  connection: Connection,
  port: number,
  { reporter, signal }: CommandContext,
): Promise<ExitCode> {
  const serving = new Promise<never>((_, reject) => {
    const subscription = tcpServer(nodeNetwork(), {
      address: '127.0.0.1',
      port,
      onListening: (local) => reporter.forwarding(local.port),
    }).subscribe({
      next: (socket) => {
        connection
          .openStream(PIPE)
          .then((stream) => join(stream, socket))
          .catch((error) => {
            socket.destroy();
            reporter.log('forward.failed', { error: String(error) });
          });
      },
      error: reject,
    });
    signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
    connection.verdict.then(() => subscription.unsubscribe());
  });
  await Promise.race([serving, whenAborted(signal), untimelyEnd(connection)]);
  return 0;
}
