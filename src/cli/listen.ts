import type { Command } from 'commander';
import { matchesState } from 'xstate';
import { type Connection, type Peer, TraversalError } from '../index.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import { parseDuration } from './duration.ts';
import type { ExitCode } from './exit-code.ts';
import { follow } from './follow.ts';
import { parseHostPort } from './host-port.ts';
import { chooseJob, type ListenerJob, type ListenerJobOptions, serveStream } from './listener-job.ts';
import { addPeerOptions, openPeer, type PeerCommandOptions } from './peer-options.ts';
import type { Reporter } from './reporter.ts';

type ListenOptions = Omit<PeerCommandOptions, 'json'> &
  ListenerJobOptions & { readonly ttl: string; readonly once?: boolean; readonly keep?: boolean };

const DEFAULT_SERVER = 'ws://127.0.0.1:8790';

export function addListen(program: Command): void {
  const command = program
    .command('listen')
    .description('wait for a peer; prints the ticket to give to it')
    .option('--ttl <duration>', 'how long the ticket is valid: 90s, 30m, 24h, 7d', '24h')
    .option('--once', 'the ticket is good for one connection')
    .option('--echo', 'send back whatever comes in')
    .option('--forward <host:port>', 'join every stream to a new connection to this TCP service', parseHostPort)
    .option('--message <text>', 'with --json: send one line to the first stream and await one line back')
    .option('--keep', 'go on after the first stream has ended');
  addPeerOptions(command)
    .addHelpText(
      'after',
      `
Without --echo, --forward or --message, stdin and stdout are joined to the first stream that a peer opens;
others are told ERR_BUSY. The rendezvous server is ${DEFAULT_SERVER} unless --server says otherwise.`,
    )
    .action((options: ListenOptions) => runCommand(options, (context) => listen(options, context)));
}

async function listen(options: ListenOptions, { reporter, signal }: CommandContext): Promise<ExitCode> {
  const ttl = parseDuration(options.ttl);
  const job = chooseJob(options, reporter);
  const servers = options.server.length > 0 ? options.server : [DEFAULT_SERVER];
  const { peer, close } = await openPeer('listener', options, { servers, stun: options.stun }, reporter);
  const interrupted = whenAborted(signal);
  try {
    peer.incoming$.subscribe((connection) => receive(connection, job, reporter));
    const ticket = await Promise.race([peer.createTicket({ ttl, once: options.once ?? false }), interrupted]);
    if (ticket === undefined) return 0;
    reporter.ticket(ticket, { toStdout: !job.usesStdout });
    await Promise.race([interrupted, options.keep ? new Promise<never>(() => {}) : job.done, replaced(peer)]);
    return 0;
  } finally {
    await close();
    job.release();
  }
}

function receive(connection: Connection, job: ListenerJob, reporter: Reporter): void {
  const following = follow(connection, reporter);
  connection.streams$.subscribe((stream) => {
    serveStream(stream, job).catch((error) => reporter.log('stream.failed', { id: stream.id, error: String(error) }));
  });
  connection.verdict.then((verdict) => {
    following.unsubscribe();
    reporter.closed();
    reporter.verdict(verdict);
  });
}

/** Rejects when another process takes over this identity's registration. */
function replaced(peer: Peer): Promise<never> {
  return new Promise((_, reject) => {
    peer.state$.subscribe((state) => {
      if (matchesState({ open: { rendezvous: 'replaced' } }, state)) {
        reject(
          new TraversalError('ERR_REGISTRATION_REPLACED', 'another process listens with this identity; this one ends'),
        );
      }
    });
  });
}
