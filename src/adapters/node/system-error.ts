import { type ErrorCode, messageOf, TraversalError } from '../../core/errors.ts';

/**
 * Puts an error of the operating system or of Node into our words: our code, what was being done, what the user can do.
 * `doing` reads like "binding TCP port 80"; the original stays as `cause`.
 */
export function systemError(error: unknown, doing: string): TraversalError {
  if (error instanceof TraversalError) return error;
  const systemCode = systemCodeOf(error);
  const [code, advice] = MEANING[systemCode] ?? ['ERR_NETWORK', messageOf(error)];
  return new TraversalError(code, `${doing}: ${advice} (${systemCode})`, { cause: error });
}

/** The system's own name of an error, such as `ECONNREFUSED`. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no system code';
}

/** What an operation that its caller's signal ended rejects with. */
export function abortedError(doing: string, signal: AbortSignal | undefined): TraversalError {
  return new TraversalError('ERR_ABORTED', `${doing}: aborted`, { cause: signal?.reason });
}

const NO_ROUTE = 'there is no route to that address from here; check the address and this host’s network';
const RESET = 'the other side ended the connection abruptly; connect again if that was not meant';
const UNRESOLVED = 'the name cannot be resolved; check its spelling and the DNS settings';
const NOT_PERMITTED =
  'the system does not permit it; take a port from 1024 up, or give the process CAP_NET_BIND_SERVICE';

const MEANING: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: ['ERR_PORT_NOT_PERMITTED', NOT_PERMITTED],
  EADDRINUSE: ['ERR_PORT_IN_USE', 'the port is taken; choose another, or 0 for any free one'],
  EADDRNOTAVAIL: ['ERR_NETWORK', 'this host has no such address, or no free port left'],
  EAI_AGAIN: ['ERR_RESOLVE', 'the name server does not answer; try again, or check the DNS settings'],
  ECONNABORTED: ['ERR_CONNECTION_RESET', RESET],
  ECONNREFUSED: ['ERR_CONNECTION_REFUSED', 'refused: nothing listens there, or a firewall turns it away'],
  ECONNRESET: ['ERR_CONNECTION_RESET', RESET],
  EHOSTUNREACH: ['ERR_NETWORK', NO_ROUTE],
  EMFILE: ['ERR_NETWORK', 'the process has too many open files; raise its limit (ulimit -n)'],
  ENETUNREACH: ['ERR_NETWORK', NO_ROUTE],
  ENOTFOUND: ['ERR_RESOLVE', UNRESOLVED],
  EPERM: ['ERR_NETWORK', 'the system or a local firewall forbids it'],
  EPIPE: ['ERR_CONNECTION_RESET', RESET],
  ERR_SOCKET_BAD_PORT: ['ERR_USAGE', 'a port is a whole number in 0..65535'],
  ERR_STREAM_DESTROYED: ['ERR_CLOSED', 'the connection is closed'],
  ETIMEDOUT: ['ERR_TIMEOUT', 'no answer; check the address, and whether a firewall drops the packets silently'],
};
