import { type ErrorCode, TraversalError } from '../../core/errors.ts';
import type { SessionEnd } from '../../core/session.ts';

/** What becomes of everything that a session's end cuts off. */
export function endError({ by, code, reason }: SessionEnd, errorCode: ErrorCode = 'ERR_CLOSED'): TraversalError {
  const who = by === 'local' ? 'this side' : 'the other side';
  const why = reason === '' ? `code ${code}` : `code ${code}: ${reason}`;
  return new TraversalError(errorCode, `session closed by ${who} (${why})`);
}
