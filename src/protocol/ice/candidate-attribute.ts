import { DecodeError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';

/**
 * One `candidate` attribute, word by word (RFC 8839 section 5.1). Which transports, types and names are of any use is
 * for {@link ./told-candidate.ts} to say.
 *
 *     candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type>
 *         [raddr <address>] [rport <port>] *(<extension name> <extension value>)
 */
export interface CandidateAttribute {
  /** 1..32 ice-chars. */
  readonly foundation: string;
  /** 1..256. */
  readonly component: number;
  /** In lower case: `udp`, `tcp` (RFC 6544 section 4.5), or one that is not known here. */
  readonly transport: string;
  /** 1..2^31-1. */
  readonly priority: number;
  /** A numeric address without a zone, or a host name. */
  readonly address: string;
  /** 0..65535. */
  readonly port: number;
  /** `host`, `srflx`, `prflx`, `relay`, or one that is not known here. */
  readonly type: string;
  readonly relatedAddress?: string;
  readonly relatedPort?: number;
  /** Name and value, in their order; `tcptype`, `generation` and `ufrag` among them. */
  readonly extensions: readonly (readonly [name: string, value: string])[];
}

/**
 * The attribute as it stands in signalling, without `a=` and line end. Throws `RangeError` on what the grammar does not
 * allow.
 */
export function encodeCandidateAttribute(attribute: CandidateAttribute): string {
  const { foundation, component, transport, priority, address, port, type } = attribute;
  const { relatedAddress, relatedPort, extensions } = attribute;
  const line = [
    `${NAME}${foundation} ${component} ${transport} ${priority} ${address} ${port} typ ${type}`,
    ...(relatedAddress === undefined ? [] : [`raddr ${relatedAddress}`]),
    ...(relatedPort === undefined ? [] : [`rport ${relatedPort}`]),
    ...extensions.map(([name, value]) => `${name} ${value}`),
  ].join(' ');
  try {
    decodeCandidateAttribute(line);
  } catch (error) {
    throw new RangeError('not a candidate attribute', { cause: error });
  }
  return line;
}

/** Reads `candidate:..` or `a=candidate:..`, without a line end. Throws `DecodeError`. */
export function decodeCandidateAttribute(line: string): CandidateAttribute {
  const text = line.startsWith('a=') ? line.slice(2) : line;
  if (!text.startsWith(NAME)) throw new DecodeError('ice/candidate/name');
  if (text.length > MAX_LENGTH) throw new DecodeError('ice/candidate/length');
  const [foundation, component, transport, priority, address, port, typ, type, ...rest] = text
    .slice(NAME.length)
    .split(' ');
  if (typ !== 'typ') throw new DecodeError('ice/candidate/typ');
  const relatedAddress = rest[0] === 'raddr' ? rest.splice(0, 2)[1] : undefined;
  const relatedPort = rest[0] === 'rport' ? rest.splice(0, 2)[1] : undefined;
  return {
    foundation: word('foundation', foundation, FOUNDATION),
    component: integer('component', component, 1, 256),
    transport: word('transport', transport, TOKEN).toLowerCase(),
    priority: integer('priority', priority, 1, 2 ** 31 - 1),
    address: host('address', address),
    port: integer('port', port, 0, 65_535),
    type: word('type', type, TOKEN),
    ...(relatedAddress !== undefined && { relatedAddress: host('raddr', relatedAddress) }),
    ...(relatedPort !== undefined && { relatedPort: integer('rport', relatedPort, 0, 65_535) }),
    extensions: readExtensions(rest),
  };
}

function readExtensions(words: readonly string[]): [name: string, value: string][] {
  const extensions: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) {
    extensions.push([word('extension', words[i], TOKEN), word('extension-value', words[i + 1], VALUE)]);
  }
  return extensions;
}

function word(field: string, text: string | undefined, pattern: RegExp): string {
  if (text === undefined || !pattern.test(text)) throw new DecodeError(`ice/candidate/${field}`);
  return text;
}

function integer(field: string, text: string | undefined, least: number, most: number): number {
  const value = Number(word(field, text, DIGITS));
  if (value < least || value > most) throw new DecodeError(`ice/candidate/${field}`);
  return value;
}

function host(field: string, text: string | undefined): string {
  const isIp = text !== undefined && !text.includes('%') && parseIp(text) !== undefined;
  return isIp ? text : word(field, text, HOST_NAME);
}

const NAME = 'candidate:';

/** Characters; several times what any agent writes. */
const MAX_LENGTH = 1024;

const FOUNDATION = /^[A-Za-z0-9+/]{1,32}$/;
/** No more digits than a 32-bit number needs. */
const DIGITS = /^\d{1,10}$/;
/** RFC 3261 section 25.1. */
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
/** `*VCHAR` (RFC 5234 appendix B.1). */
const VALUE = /^[\x21-\x7e]*$/;
/** RFC 1123 section 2.1. A name without a letter would be a numeric address that is none. */
const HOST_NAME =
  /^(?=.{1,253}$)(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*$/;
