import { type AddressKind, classifyAddress, formatIp, formatIpv6, ipOf, parseIp } from './ip-address.ts';

/** IP version of an address: 4 (RFC 791) or 6 (RFC 8200). */
export type Family = 4 | 6;

/** A transport address: where datagrams or connections go to or come from. */
export interface Endpoint {
  /** Numeric IP address in canonical text (RFC 5952 for IPv6), never a host name. */
  readonly address: string;
  /** 1..65535; 0 only means "any" when a socket is being asked for. */
  readonly port: number;
  readonly family: Family;
}

/**
 * Makes an endpoint from a numeric address. An IPv4-mapped IPv6 address becomes its IPv4 form, so that one peer has one
 * key. Throws `RangeError` on a host name or a port outside 0..65535.
 */
export function endpoint(address: string, port: number): Endpoint {
  const ip = parseIp(address);
  if (ip === undefined) throw new RangeError(`not a numeric IP address: ${address}`);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`port out of range: ${port}`);
  return ip.family === 4
    ? { address: ip.bytes.join('.'), port, family: 4 }
    : { address: formatIpv6(ip.bytes, ip.zone), port, family: 6 };
}

/** The same from an address of 4 or 16 bytes in network order. */
export function endpointOf(bytes: Uint8Array, port: number): Endpoint {
  const ip = ipOf(bytes);
  return { address: formatIp(ip.bytes), port, family: ip.family };
}

/** One string an endpoint, for use as a key and for people: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint({ address, port, family }: Endpoint): string {
  return family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Reads what {@link formatEndpoint} writes; `undefined` when the text is not a numeric endpoint. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const address = match[1] ?? match[2]!;
  const port = Number(match[3]);
  if (port > 65535 || parseIp(address) === undefined) return undefined;
  return endpoint(address, port);
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/**
 * Whether datagrams may be aimed at this endpoint on a stranger's word: unicast and in use, not port 0, and not
 * loopback unless that is allowed.
 */
export function isReachableUnicast(at: Endpoint, allowLoopback = false): boolean {
  if (at.port === 0) return false;
  const kind = classifyAddress(at.address);
  return !NOT_UNICAST.has(kind) || (allowLoopback && kind === 'loopback');
}

const NOT_UNICAST: ReadonlySet<AddressKind> = new Set([
  'loopback',
  'multicast',
  'broadcast',
  'unspecified',
  'deprecated',
]);
