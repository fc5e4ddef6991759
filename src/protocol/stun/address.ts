/**
 * Transport addresses as attribute values, plain and XORed (RFC 8489 sections 14.1 and 14.2).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0 0 0 0 0 0 0|    Family     |         (X-)Port              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                (X-)Address: 32 or 128 bits                    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { type Endpoint, endpointOf } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import { MAGIC_COOKIE } from './header.ts';

/** Throws `RangeError` when the address is not numeric. An IPv6 zone has no meaning to others and is left out. */
export function encodeAddress({ address, port }: Endpoint): Uint8Array {
  const ip = parseIp(address);
  if (ip === undefined) throw new RangeError(`not a numeric IP address: ${address}`);
  return Uint8Array.of(0, ip.family === 4 ? FAMILY_IPV4 : FAMILY_IPV6, port >> 8, port & 0xff, ...ip.bytes);
}

/** `name` is the attribute's, for {@link DecodeError}. An IPv4-mapped IPv6 address comes out as IPv4. */
export function decodeAddress(value: Uint8Array, name: string): Endpoint {
  const family = value[1];
  if (family !== FAMILY_IPV4 && family !== FAMILY_IPV6) throw new DecodeError(`stun/${name}/family`, `${family}`);
  if (value.length !== (family === FAMILY_IPV4 ? 8 : 20)) throw new DecodeError(`stun/${name}/length`);
  return endpointOf(value.subarray(4), (value[2]! << 8) | value[3]!);
}

/** XORs port and address of an address value with magic cookie and transaction ID; the same again undoes it. */
export function xorAddress(value: Uint8Array, transactionId: Uint8Array): Uint8Array {
  const mask = (i: number): number => (i < 4 ? COOKIE_BYTES[i]! : transactionId[i - 4]!);
  return value.map((byte, i) => (i < 2 ? byte : byte ^ mask(i < 4 ? i - 2 : i - 4)));
}

const FAMILY_IPV4 = 0x01;
const FAMILY_IPV6 = 0x02;
const COOKIE_BYTES = [24, 16, 8, 0].map((shift) => (MAGIC_COOKIE >>> shift) & 0xff);
