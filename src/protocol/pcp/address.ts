import { formatIp, parseIp } from '../../core/ip-address.ts';

export const ADDRESS_LENGTH = 16;

/** The 128-bit field of an address: IPv4 goes as IPv4-mapped IPv6; `0.0.0.0` and `::` mean any of their family (RFC 6887 section 5). */
export function encodeAddress(address: string): Uint8Array {
  const ip = parseIp(address);
  if (ip === undefined) throw new RangeError(`not a numeric IP address: ${address}`);
  return ip.family === 6 ? ip.bytes : Uint8Array.of(...IPV4_MAPPED, ...ip.bytes);
}

/** Reads 16 bytes: any of them are an address. */
export function decodeAddress(bytes: Uint8Array): string {
  const isIpv4 = IPV4_MAPPED.every((byte, i) => bytes[i] === byte);
  return formatIp(isIpv4 ? bytes.subarray(12, ADDRESS_LENGTH) : bytes);
}

/** `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const IPV4_MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
