/*
 * Packets with QUIC's headers (RFC 9000 section 17), so that whoever looks at them from outside sees what a session on QUIC shows: first byte,
 * connection ids, sizes. The version is one that no QUIC has, and packet numbers are in the clear.
 *
 *   long    | 1 1 type(2) 0000 | version (32) | 16 | destination (128) | 16 | source (128) | length (16) | body ..
 *   short   | 0 1 000000       | destination (128) | packet number (32) | sealed frames ..
 *
 * A datagram may hold a long packet and a short one behind it (RFC 9000 section 12.2).
 */

/** Bytes of a packet at most: what every path carries (RFC 9000 section 14). */
export const MAX_PACKET = 1200;
export const CONNECTION_ID_LENGTH = 16;
export const LONG_HEADER_LENGTH = 1 + 4 + 1 + 16 + 1 + 16 + 2;
export const SHORT_HEADER_LENGTH = 1 + 16 + 4;

export type LongType = 'initial' | 'handshake';

export interface LongPacket {
  readonly form: 'long';
  readonly type: LongType;
  readonly destination: Buffer;
  readonly source: Buffer;
  /** What is authenticated besides the body. */
  readonly header: Buffer;
  readonly body: Buffer;
}

export interface ShortPacket {
  readonly form: 'short';
  readonly destination: Buffer;
  readonly number: number;
  readonly header: Buffer;
  readonly body: Buffer;
}

/** The header in front of a body of `length` bytes. */
export function longHeader(type: LongType, destination: Uint8Array, source: Uint8Array, length: number): Buffer {
  const header = Buffer.alloc(LONG_HEADER_LENGTH);
  header[0] = type === 'initial' ? INITIAL : HANDSHAKE;
  header.writeUInt32BE(VERSION, 1);
  header[5] = CONNECTION_ID_LENGTH;
  header.set(destination, 6);
  header[22] = CONNECTION_ID_LENGTH;
  header.set(source, 23);
  header.writeUInt16BE(length, 39);
  return header;
}

/** `number`: 0..2^32-1, enough for 5 TB. */
export function shortHeader(destination: Uint8Array, number: number): Buffer {
  const header = Buffer.allocUnsafe(SHORT_HEADER_LENGTH);
  header[0] = FIXED_BIT;
  header.set(destination, 1);
  header.writeUInt32BE(number, 17);
  return header;
}

/** The packets of a datagram, as views of it, up to the first that is none of ours. */
export function* readPackets(datagram: Uint8Array): Generator<LongPacket | ShortPacket> {
  let rest = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
  while (rest.length > 0) {
    if ((rest[0]! & LONG_FORM) === 0) {
      const packet = readShort(rest);
      if (packet !== undefined) yield packet;
      return;
    }
    const packet = readLong(rest);
    if (packet === undefined) return;
    yield packet;
    rest = rest.subarray(packet.header.length + packet.body.length);
  }
}

function readLong(bytes: Buffer): LongPacket | undefined {
  if (bytes.length < LONG_HEADER_LENGTH || bytes.readUInt32BE(1) !== VERSION) return undefined;
  if (bytes[5] !== CONNECTION_ID_LENGTH || bytes[22] !== CONNECTION_ID_LENGTH) return undefined;
  const length = bytes.readUInt16BE(39);
  if (bytes[0] !== INITIAL && bytes[0] !== HANDSHAKE) return undefined;
  if (bytes.length < LONG_HEADER_LENGTH + length) return undefined;
  return {
    form: 'long',
    type: bytes[0] === INITIAL ? 'initial' : 'handshake',
    destination: bytes.subarray(6, 22),
    source: bytes.subarray(23, 39),
    header: bytes.subarray(0, LONG_HEADER_LENGTH),
    body: bytes.subarray(LONG_HEADER_LENGTH, LONG_HEADER_LENGTH + length),
  };
}

function readShort(bytes: Buffer): ShortPacket | undefined {
  if (bytes.length <= SHORT_HEADER_LENGTH || bytes[0] !== FIXED_BIT) return undefined;
  return {
    form: 'short',
    destination: bytes.subarray(1, 17),
    number: bytes.readUInt32BE(17),
    header: bytes.subarray(0, SHORT_HEADER_LENGTH),
    body: bytes.subarray(SHORT_HEADER_LENGTH),
  };
}

const LONG_FORM = 0x80;
const FIXED_BIT = 0x40;
/** Long form, fixed bit, and the types of RFC 9000 table 5. */
const INITIAL = 0xc0;
const HANDSHAKE = 0xe0;
/** "sim" and the version of what is in these packets. */
const VERSION = 0x73_69_6d_01;
