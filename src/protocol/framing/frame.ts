/**
 * Datagrams on a byte stream (RFC 4571 section 2), as ICE over TCP frames STUN and data alike (RFC 6544 section 3):
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |            length             |  datagram of `length` bytes   |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 */
import { DecodeError } from '../../core/errors.ts';

/** The longest datagram that is read or written, in bytes: what fits an Ethernet frame. */
export const MAX_FRAMED = 1500;

/** Reads frames from a stream, however it was cut into chunks. */
export interface FrameDecoder {
  /**
   * The datagrams that this chunk completes, without empty ones; valid until the chunk is changed. Throws
   * {@link DecodeError} at
   * `frame/length` for a datagram longer than {@link MAX_FRAMED}: where the next frame begins is then nobody's guess.
   */
  decode(chunk: Uint8Array): readonly Uint8Array[];
}

/** A datagram in its frame. Throws `RangeError` when it is longer than {@link MAX_FRAMED}. */
export function frameDatagram(datagram: Uint8Array): Uint8Array {
  const { length } = datagram;
  if (length > MAX_FRAMED) throw new RangeError(`a datagram of ${length} bytes does not fit a frame`);
  const frame = new Uint8Array(HEADER_LENGTH + length);
  frame[0] = length >> 8;
  frame[1] = length & 0xff;
  frame.set(datagram, HEADER_LENGTH);
  return frame;
}

export function createFrameDecoder(): FrameDecoder {
  /** Of a frame that is not complete. */
  let begun: Uint8Array = new Uint8Array(0);
  return {
    decode(chunk) {
      const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
      const datagrams: Uint8Array[] = [];
      let start = 0;
      while (bytes.length - start >= HEADER_LENGTH) {
        const length = (bytes[start]! << 8) | bytes[start + 1]!;
        if (length > MAX_FRAMED) throw new DecodeError('frame/length', `${length} bytes`);
        const end = start + HEADER_LENGTH + length;
        if (end > bytes.length) break;
        if (length > 0) datagrams.push(bytes.subarray(start + HEADER_LENGTH, end));
        start = end;
      }
      begun = Uint8Array.from(bytes.subarray(start));
      return datagrams;
    },
  };
}

/** Bytes. */
const HEADER_LENGTH = 2;
