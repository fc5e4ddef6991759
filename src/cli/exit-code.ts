import type { ErrorCode } from '../core/errors.ts';

/** 0 fine, 1 no connection (a verdict was printed) or no mapping, 2 wrong use. */
export type ExitCode = 0 | 1 | 2;

/** Errors that come from how the command was called, not from the network. */
const WRONG_USE: ReadonlySet<ErrorCode> = new Set([
  'ERR_USAGE',
  'ERR_TICKET_MALFORMED',
  'ERR_IDENTITY_FILE',
  'ERR_NOT_AVAILABLE',
  'ERR_PORT_IN_USE',
  'ERR_PORT_NOT_PERMITTED',
  'ERR_SESSION_PLATFORM',
]);

export function exitCodeOf(code: ErrorCode): ExitCode {
  return WRONG_USE.has(code) ? 2 : 1;
}
