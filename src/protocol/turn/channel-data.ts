/**
 * ChannelData: data of and for a peer with 4 bytes of header (RFC 8656 section 12.4).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |         Channel Number        |            Length             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     Application data of that length; on a stream, padding     |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { DecodeError } from '../../core/errors.ts';

/** Channel numbers (RFC 8656 section 12). */
export const FIRST_CHANNEL = 0x4000;
export const LAST_CHANNEL = 0x4fff;

export const CHANNEL_HEADER_LENGTH = 4;

export interface ChannelData {
  /** 0x4000..0x4fff. */
  readonly channel: number;
  readonly data: Uint8Array;
}

/** Whether a message begins as ChannelData does: by its first byte (RFC 7983 section 7). */
export function isChannelData(bytes: Uint8Array): boolean {
  return bytes.length >= CHANNEL_HEADER_LENGTH && bytes[0]! >= 0x40 && bytes[0]! <= 0x4f;
}

/** Whether a channel may have this number. */
export function isChannelNumber(channel: number): boolean {
  return channel >= FIRST_CHANNEL && channel <= LAST_CHANNEL;
}

/**
 * Decodes a whole datagram or message. What follows the data is padding, which datagrams may have too. `data` is a view. Throws
 * {@link DecodeError} at `turn/channel-data/..`.
 */
export function decodeChannelData(bytes: Uint8Array): ChannelData {
  if (!isChannelData(bytes)) throw new DecodeError('turn/channel-data/header');
  const length = (bytes[2]! << 8) | bytes[3]!;
  const end = CHANNEL_HEADER_LENGTH + length;
  if (end > bytes.length) throw new DecodeError('turn/channel-data/length', `${length} bytes of data`);
  return { channel: (bytes[0]! << 8) | bytes[1]!, data: bytes.subarray(CHANNEL_HEADER_LENGTH, end) };
}

/** `padded`: to a multiple of 4 bytes, as on streams. Throws `RangeError` for another channel, or data of more than 65535 bytes. */
export function encodeChannelData({ channel, data }: ChannelData, padded = false): Uint8Array {
  if (!isChannelNumber(channel)) throw new RangeError(`not a channel number: ${channel}`);
  const { length } = data;
  if (length > 0xffff) throw new RangeError(`${length} bytes do not fit a ChannelData message`);
  const bytes = new Uint8Array(CHANNEL_HEADER_LENGTH + (padded ? paddedLength(length) : length));
  bytes[0] = channel >> 8;
  bytes[1] = channel & 0xff;
  bytes[2] = length >> 8;
  bytes[3] = length & 0xff;
  bytes.set(data, CHANNEL_HEADER_LENGTH);
  return bytes;
}

/** Bytes that data takes on a stream. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
