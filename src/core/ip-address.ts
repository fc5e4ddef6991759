import type { Family } from './endpoint.ts';

export interface ParsedIp {
  readonly family: Family;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  /** Scope zone of a link-local IPv6 address, such as `eth0` (RFC 4007). */
  readonly zone?: string;
}

/**
 * What an address is for (IANA special-purpose registries, RFC 6890). `carrier` is 100.64.0.0/10 (RFC 6598);
 * `deprecated` are IPv4-compatible IPv6 addresses (RFC 4291 section 2.5.5.1) and site-local ones (RFC 3879).
 */
export type AddressKind =
  | 'public'
  | 'private'
  | 'carrier'
  | 'link-local'
  | 'loopback'
  | 'multicast'
  | 'broadcast'
  | 'unspecified'
  | 'deprecated';

/** Reads a numeric address; an IPv4-mapped IPv6 address is read as IPv4. `undefined` when it is none. */
export function parseIp(text: string): ParsedIp | undefined {
  if (!text.includes(':')) {
    const bytes = parseIpv4(text);
    return bytes && { family: 4, bytes };
  }
  const [address = '', zone, ...rest] = text.split('%');
  if (rest.length > 0 || zone === '') return undefined;
  const bytes = parseIpv6(address);
  if (bytes === undefined) return undefined;
  const ip = ipOf(bytes);
  return ip.family === 4 || zone === undefined ? ip : { family: 6, bytes, zone };
}

/** An address of 4 or 16 bytes in network order; an IPv4-mapped IPv6 address is read as IPv4. */
export function ipOf(bytes: Uint8Array): ParsedIp {
  if (bytes.length === 4) return { family: 4, bytes };
  return isIpv4Mapped(bytes) ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes };
}

/** RFC 5952 text of 16 bytes: lower case, the longest run of zero groups shortened. */
export function formatIpv6(bytes: Uint8Array, zone?: string): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  const hex = groups.map((group) => group.toString(16));
  const text =
    best.start < 0
      ? hex.join(':')
      : `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
  return zone === undefined ? text : `${text}%${zone}`;
}

/** Text of 4 or 16 bytes in network order. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

/** The zone in the text of a link-local IPv6 address (RFC 4007 section 11), which means something on this host only. */
export function zoneOf(address: string): string | undefined {
  return address.split('%')[1];
}

/** The address as other hosts may read it. */
export function withoutZone(address: string): string {
  return address.split('%')[0]!;
}

export function classifyAddress(text: string): AddressKind {
  const ip = parseIp(text);
  if (ip === undefined) throw new RangeError(`not a numeric IP address: ${text}`);
  return ip.family === 4 ? classifyIpv4(ip.bytes) : classifyIpv6(ip.bytes);
}

function classifyIpv4(bytes: Uint8Array): AddressKind {
  const [a = 0, b = 0] = bytes;
  if (a === 0) return 'unspecified';
  if (a === 127) return 'loopback';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private';
  if (a === 100 && b >= 64 && b < 128) return 'carrier';
  if (a === 169 && b === 254) return 'link-local';
  if (a >= 224 && a < 240) return 'multicast';
  if (bytes.every((byte) => byte === 255)) return 'broadcast';
  return 'public';
}

function classifyIpv6(bytes: Uint8Array): AddressKind {
  const [a = 0, b = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return 'unspecified';
  if (bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))) return 'loopback';
  if (a === 0xff) return 'multicast';
  if (bytes.subarray(0, 12).every((byte) => byte === 0) || (a === 0xfe && (b & 0xc0) === 0xc0)) return 'deprecated';
  if (a === 0xfe && (b & 0xc0) === 0x80) return 'link-local';
  if ((a & 0xfe) === 0xfc) return 'private';
  return 'public';
}

/** Read by the character, since addresses are read for each packet. */
function parseIpv4(text: string): Uint8Array | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  const bytes = new Uint8Array(4);
  let at = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) {
      // No zeros in front, which some read as octal.
      if (digits === 1 && value === 0) return undefined;
      value = 10 * value + digit;
      digits++;
      if (value > 255) return undefined;
    } else {
      const isOver = i === text.length;
      if (digits === 0 || isOver !== (at === 3) || (!isOver && text[i] !== '.')) return undefined;
      bytes[at++] = value;
      digits = 0;
      value = 0;
    }
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const shortened = halves.length === 2;
  const head = readGroups(halves[0]!, { endsAddress: !shortened });
  const tail = shortened ? readGroups(halves[1]!, { endsAddress: true }) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (shortened ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The last four bytes of an address may be in IPv4 notation (RFC 4291 section 2.2). */
function readGroups(text: string, { endsAddress }: { endsAddress: boolean }): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (endsAddress && i === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}
