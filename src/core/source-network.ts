import { parseIp } from './ip-address.ts';

/** Bits of an address that name where it comes from: 24 of IPv4 for a neighbourhood, 32 for one address. */
export type Ipv4Prefix = 24 | 32;

/**
 * One key for all addresses that one source can easily send from: an IPv4 prefix, or the IPv6 /64 that a network's
 * subscriber is given. Throws `RangeError` on what is no numeric address.
 */
export function sourceNetwork(address: string, ipv4: Ipv4Prefix): string {
  const ip = parseIp(address);
  if (ip === undefined) throw new RangeError(`not a numeric IP address: ${address}`);
  return ip.bytes.subarray(0, ip.family === 4 ? ipv4 / 8 : 8).join('.');
}
