import { MAX_PACKET } from './config.ts';

/**
 * Whether a packet can be part of a session at all: QUIC version 1 (RFC 9000 section 17), and none of the kinds that
 * are never used here. Version Negotiation and Retry carry no secret, so that a forged one could end a handshake.
 */
export function isAdmissible(packet: Uint8Array): boolean {
  const first = packet[0];
  if (first === undefined || (first & FIXED_BIT) === 0) return false;
  if (packet.length < MIN_PACKET || packet.length > MAX_PACKET) return false;
  if ((first & LONG_HEADER) === 0) return true;
  const type = (first & LONG_TYPE) >> 4;
  return hasVersion1(packet) && (type === INITIAL || type === HANDSHAKE);
}

/**
 * Whether a packet may be a client's first: an Initial in a datagram of at least 1200 bytes (RFC 9000 section 14.1).
 */
export function isFirstPacket(packet: Uint8Array): boolean {
  const first = packet[0]!;
  return (first & LONG_HEADER) !== 0 && (first & LONG_TYPE) >> 4 === INITIAL && packet.length >= MAX_PACKET;
}

function hasVersion1(packet: Uint8Array): boolean {
  return packet[1] === 0 && packet[2] === 0 && packet[3] === 0 && packet[4] === 1;
}

const LONG_HEADER = 0x80;
const FIXED_BIT = 0x40;
const LONG_TYPE = 0x30;
const INITIAL = 0;
const HANDSHAKE = 2;
/**
 * Flags, a 16-byte connection id, and the sample of header protection 4 bytes after the packet number (RFC 9001 section
 * 5.4.2).
 */
const MIN_PACKET = 1 + 16 + 4 + 16;
