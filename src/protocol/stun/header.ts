/**
 * The STUN header (RFC 8489 section 5).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |0 0|     STUN Message Type     |         Message Length        |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                    Magic Cookie = 0x2112a442                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                     Transaction ID (96 bits)                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { asBuffer } from './buffer.ts';

export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** The Binding method, the only one of RFC 8489. */
export const BINDING = 0x001;

export const MAGIC_COOKIE = 0x2112_a442;
export const HEADER_LENGTH = 20;
export const TRANSACTION_ID_LENGTH = 12;

/**
 * Whether a whole datagram looks like STUN: two zero bits, the magic cookie, and a length that is a multiple of 4 and
 * fits exactly. Says nothing of the attributes (RFC 8489 section 6.3).
 */
export function isStunMessage(bytes: Uint8Array): boolean {
  return (
    bytes.length >= HEADER_LENGTH &&
    bytes[0]! < 0x40 &&
    bytes[4] === 0x21 &&
    bytes[5] === 0x12 &&
    bytes[6] === 0xa4 &&
    bytes[7] === 0x42 &&
    (bytes[3]! & 3) === 0 &&
    ((bytes[2]! << 8) | bytes[3]!) === bytes.length - HEADER_LENGTH
  );
}

/** One string a transaction ID, for use as a key: 24 hexadecimal digits. */
export function transactionKey(id: Uint8Array): string {
  return asBuffer(id).toString('hex');
}

const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/** The 14-bit message type. The two class bits stand between the method's: `M11..M7 C1 M6..M4 C0 M3..M0`. */
export function encodeMessageType(stunClass: StunClass, method: number): number {
  const bits = CLASSES.indexOf(stunClass);
  const spread = (method & 0xf) | ((method & 0x70) << 1) | ((method & 0xf80) << 2);
  return spread | ((bits & 1) << 4) | ((bits & 2) << 7);
}

export function decodeMessageType(type: number): { class: StunClass; method: number } {
  return {
    class: CLASSES[((type >> 4) & 1) | ((type >> 7) & 2)]!,
    method: (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80),
  };
}
