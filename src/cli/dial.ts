import { StreamResetError } from '../core/errors.ts';
import { unknownBehavior } from '../core/nat-behavior.ts';
import { type Connection, decodeTicket, type Peer, TraversalError, type Verdict } from '../index.ts';
import type { CommandContext } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { follow } from './follow.ts';
import { openPeer, type PeerCommandOptions } from './peer-options.ts';
import { CODE_BUSY, CODE_REFUSED, CODE_UNREACHABLE } from './protocols.ts';

/**
 * Connects with a ticket, does `work` on the connection, closes it in order and prints the verdict. The exit code is
 * that of `work`, which ends when the connection does; every failure is thrown, after its verdict was printed.
 */
export async function dial(
  ticketText: string,
  options: PeerCommandOptions,
  { reporter, signal }: CommandContext,
  work: (connection: Connection) => Promise<ExitCode>,
): Promise<ExitCode> {
  const ticket = decodeTicket(ticketText);
  const servers = options.server.length > 0 ? options.server : ticket.servers;
  const stun = options.stun.length > 0 ? options.stun : ticket.stun;
  const { peer, close } = await openPeer('dialer', options, { servers, stun }, reporter);
  try {
    const connection = begin(peer);
    const following = follow(connection, reporter);
    try {
      await connection.ready;
      return await work(connection);
    } catch (error) {
      throw await explain(error, connection);
    } finally {
      await connection.close();
      following.unsubscribe();
      reporter.closed();
      const verdict = await connection.verdict;
      reporter.verdict(verdict);
    }
  } finally {
    await close();
  }

  function begin(on: Peer): Connection {
    try {
      return on.connect(ticketText, { signal, servers });
    } catch (error) {
      if (error instanceof TraversalError) reporter.verdict(refused(error));
      throw error;
    }
  }
}

/** Rejects when the connection ends: for work that has no stream to notice it by. */
export async function untimelyEnd(connection: Connection): Promise<never> {
  const { code, summary } = await connection.verdict;
  if (code !== undefined) throw new TraversalError(code, summary);
  throw new TraversalError('ERR_CLOSED', 'the other side closed the connection');
}

/**
 * Puts a listener's reset codes into words; where a stream only knows that the session has ended, the verdict knows
 * why.
 */
async function explain(error: unknown, connection: Connection): Promise<unknown> {
  if (error instanceof StreamResetError) return explainReset(error);
  if (!(error instanceof TraversalError) || error.code !== 'ERR_CLOSED') return error;
  await connection.close();
  return untimelyEnd(connection).catch((reason: unknown) => reason);
}

function explainReset(error: StreamResetError): TraversalError {
  switch (error.resetCode) {
    case CODE_BUSY:
      return new TraversalError('ERR_BUSY', 'the listener already serves another stream; try again later');
    case CODE_REFUSED:
      return new TraversalError(
        'ERR_STREAM_RESET',
        'the listener takes no data: it was started without --echo, --forward or --message',
      );
    case CODE_UNREACHABLE:
      return new TraversalError('ERR_CONNECTION_REFUSED', 'the listener cannot reach the service that it forwards to');
    default:
      return error;
  }
}

/** The verdict on a ticket that was not even tried. */
function refused({ code, message }: TraversalError): Verdict {
  return {
    outcome: 'failed',
    code,
    summary: message,
    paths: [],
    attempts: [],
    behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
    candidates: { local: [], remote: [] },
    advice: [],
  };
}
