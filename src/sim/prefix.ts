import type { Family } from '../core/endpoint.ts';
import { formatIp, parseIp } from '../core/ip-address.ts';

/** A block of addresses (RFC 4632, RFC 4291 section 2.3). */
export interface Prefix {
  readonly family: Family;
  /** First address, with all bits beyond `length` 0. */
  readonly bytes: Uint8Array;
  /** 0..32 or 0..128 bits. */
  readonly length: number;
}

/** Reads `192.168.1.0/24` or `2001:db8::/64`; `undefined` when it is none or has bits beyond its length. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const ip = match === null ? undefined : parseIp(match[1]!);
  const length = Number(match?.[2]);
  if (ip === undefined || length > 8 * ip.bytes.length) return undefined;
  const prefix = prefixOf(ip.bytes, length);
  return prefix.bytes.every((byte, i) => byte === ip.bytes[i]) ? prefix : undefined;
}

export function formatPrefix({ bytes, length }: Prefix): string {
  return `${formatIp(bytes)}/${length}`;
}

/** The block of `length` bits that an address of 4 or 16 bytes is in. */
export function prefixOf(address: Uint8Array, length: number): Prefix {
  const bytes = address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))));
  return { family: address.length === 4 ? 4 : 6, bytes, length };
}

/** Whether a numeric address is in the block. */
export function contains(prefix: Prefix, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && ip.family === prefix.family && samePrefix(prefix, prefixOf(ip.bytes, prefix.length));
}

/** Whether two blocks have addresses in common. */
export function overlap(a: Prefix, b: Prefix): boolean {
  const [wide, narrow] = a.length <= b.length ? [a, b] : [b, a];
  return wide.family === narrow.family && samePrefix(wide, prefixOf(narrow.bytes, wide.length));
}

/** The address `offset` after the first one; `undefined` beyond the block. `offset` 0..2^32-1. */
export function addressAt(prefix: Prefix, offset: number): string | undefined {
  const bytes = Uint8Array.from(prefix.bytes);
  let carry = offset;
  for (let i = bytes.length - 1; i >= 0 && carry > 0; i--) {
    carry += bytes[i]!;
    bytes[i] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return carry === 0 && samePrefix(prefix, prefixOf(bytes, prefix.length)) ? formatIp(bytes) : undefined;
}

function samePrefix(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && a.bytes.every((byte, i) => byte === b.bytes[i]);
}
