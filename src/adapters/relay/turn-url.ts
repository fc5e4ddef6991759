import { TraversalError } from '../../core/errors.ts';

/** A TURN server, and who we are to it. */
export interface TurnServerAddress {
  /** Name or numeric address; IPv6 without brackets. */
  readonly host: string;
  /** 1..65535; default 3478 (RFC 8656 section 5). */
  readonly port?: number;
  /** At most 508 bytes. */
  readonly user: string;
  readonly password: string;
  /** How the server is reached; default `udp`. */
  readonly transport?: 'udp' | 'tcp';
}

/**
 * Reads `turn:user:password@host[:port][?transport=udp|tcp]`: the URI of RFC 7065, with credentials in it. In user and password any byte
 * may be written as `%` and two hex digits; `%`, and a colon in the user, must be. Errors: `ERR_USAGE`, `ERR_NOT_AVAILABLE` for TURN
 * over TLS (`turns:`). No message has a part of the text in it, since any may be the password.
 */
export function parseTurnUrl(text: string): Required<TurnServerAddress> {
  const [, scheme, rest] = /^(turns?):(?!\/\/)(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) throw usage('it does not begin with turn: and a user');
  if (scheme.toLowerCase() === 'turns') throw overTls();
  const at = rest.lastIndexOf('@');
  if (at < 0) throw usage('there is no user:password@ before its host');
  const colon = rest.slice(0, at).indexOf(':');
  if (colon < 0) throw usage('there is no password between user: and @');
  const [host, port, transport] = readPlace(rest.slice(at + 1));
  return completeAddress({
    host,
    port,
    user: unescaped(rest.slice(0, colon), 'user'),
    password: unescaped(rest.slice(colon + 1, at), 'password'),
    transport,
  });
}

/** The address with its defaults. Errors: `ERR_USAGE` for what no server could be asked with. */
export function completeAddress(address: TurnServerAddress): Required<TurnServerAddress> {
  const { host, port = DEFAULT_PORT, user, password, transport = 'udp' } = address;
  if (!/^[^\s/@?[\]]+$/.test(host)) throw usage('its host is no name and no numeric address');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usage('its port is not one of 1 to 65535');
  if (user === '' || Buffer.byteLength(user) > MAX_USER) throw usage(`its user must have 1 to ${MAX_USER} bytes`);
  if (password === '') throw usage('its password is empty');
  if (transport !== 'udp' && transport !== 'tcp') throw usage('its transport is neither udp nor tcp');
  return { host, port, user, password, transport };
}

/** The server for people and traces, without its credentials: a URI of RFC 7065. */
export function turnName({ host, port, transport }: Required<TurnServerAddress>): string {
  return `turn:${host.includes(':') ? `[${host}]` : host}:${port}?transport=${transport}`;
}

function readPlace(text: string): readonly [host: string, port: number | undefined, transport: 'udp' | 'tcp'] {
  const [place = '', query] = text.split(/\?(.*)/s);
  const transport = query === undefined ? 'udp' : /^transport=(udp|tcp)$/.exec(query)?.[1];
  if (transport === undefined) throw usage('only ?transport=udp or ?transport=tcp may follow its host');
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(place);
  if (match === null) throw usage('its host is not written host:port, or [IPv6 address]:port');
  const [, literal, name = literal, port] = match;
  return [name!, port === undefined ? undefined : Number(port), transport as 'udp' | 'tcp'];
}

function unescaped(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The error of JavaScript would name the text.
    throw usage(`a % in its ${part} is not followed by two hex digits of UTF-8: write %25`);
  }
}

function usage(problem: string): TraversalError {
  return new TraversalError('ERR_USAGE', `the TURN server is no ${FORM}: ${problem}`);
}

function overTls(): TraversalError {
  return new TraversalError('ERR_NOT_AVAILABLE', 'TURN over TLS (turns:) is not available: use turn:..?transport=tcp');
}

const FORM = 'turn:user:password@host:port[?transport=tcp]';
const DEFAULT_PORT = 3478;
/** Bytes of USERNAME (RFC 8489 section 14.3). */
const MAX_USER = 508;
