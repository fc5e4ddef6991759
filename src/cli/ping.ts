import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Connection } from '../index.ts';
import { type CommandContext, runCommand } from './command.ts';
import { dial } from './dial.ts';
import type { ExitCode } from './exit-code.ts';
import { addPeerOptions, type PeerCommandOptions } from './peer-options.ts';
import { createPingStream } from './ping-stream.ts';
import { PING } from './protocols.ts';
import { createStandardInput } from './standard-input.ts';
import { readTicket } from './ticket-argument.ts';

interface PingOptions extends PeerCommandOptions {
  readonly count: number;
  readonly interval: number;
  readonly untilDirect?: boolean;
}

export function addPing(program: Command): void {
  const command = program
    .command('ping')
    .description('measure round trips to a listening peer, each with the path that carried it')
    .argument('[ticket]', 'the listener’s ticket, @file, - for the first line of stdin (default: SALLYPORT_TICKET)')
    .option('--count <n>', 'how many', parseCount, 10)
    .option('--interval <ms>', 'time between two', parseCount, 1000)
    .option('--until-direct', 'stop as soon as one was carried directly; exit code 1 when none was');
  addPeerOptions(command).action((ticket: string | undefined, options: PingOptions) =>
    runCommand(options, async (context) => {
      const stdin = createStandardInput(context.signal);
      try {
        const text = await readTicket(ticket, stdin, context.reporter.log);
        return await dial(text, options, context, (connection) => ping(connection, options, context));
      } finally {
        stdin.release();
      }
    }),
  );
}

async function ping(
  connection: Connection,
  options: PingOptions,
  { reporter, signal }: CommandContext,
): Promise<ExitCode> {
  const { count, interval, untilDirect = false } = options;
  const ended = new AbortController();
  connection.verdict.then(() => ended.abort());
  const over = AbortSignal.any([signal, ended.signal]);
  const stream = createPingStream(await connection.openStream(PING));
  for (let seq = 1; seq <= count && !signal.aborted; seq++) {
    const outward = connection.path;
    const sentAt = performance.now();
    await stream.roundTrip(seq);
    const rtt = Math.round((performance.now() - sentAt) * 100) / 100;
    // Direct only when both ways were: the other side may still have been on the relay.
    const homeward = connection.lastHeard;
    const path = homeward?.kind === 'relayed' ? homeward : outward;
    if (path !== undefined) reporter.pong({ seq, rtt, kind: path.kind, transport: path.transport });
    if (untilDirect && path?.kind === 'direct') return 0;
    if (seq < count) await sleep(interval, undefined, { signal: over }).catch(() => 'no need to wait');
  }
  await stream.end();
  return untilDirect ? 1 : 0;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 1_000_000_000)
    throw new InvalidArgumentError('Give a whole number from 1.');
  return value;
}
