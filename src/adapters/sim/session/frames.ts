import { DecodeError } from '../../../core/errors.ts';
import { ByteReader, varintLength, writeVarint } from './varint.ts';

/*
 * What packets are made of, laid out as in QUIC (RFC 9000 section 19, RFC 9221 section 4): a type, then integers of variable length.
 *
 *   0x01  PING
 *   0x02  ACK              largest, delay in us, count of further ranges, length of the first, (gap, length) for each further one
 *   0x04  RESET_STREAM     stream id, code, final size
 *   0x0e  STREAM           stream id, offset, length, bytes          0x0f  the same, and the stream ends with these bytes
 *   0x10  MAX_DATA         bytes
 *   0x11  MAX_STREAM_DATA  stream id, bytes
 *   0x12  MAX_STREAMS      streams
 *   0x1d  CONNECTION_CLOSE code, length, reason
 *   0x1e  HANDSHAKE_DONE
 *   0x31  DATAGRAM         length, bytes
 *
 * PADDING is none of them: no packet of this kind is padded.
 */

export type Frame =
  | { readonly type: 'ping' | 'handshake-done' }
  | { readonly type: 'ack'; readonly ranges: readonly AckRange[]; readonly delay: number }
  | { readonly type: 'reset-stream'; readonly id: number; readonly code: number; readonly finalSize: number }
  | {
      readonly type: 'stream';
      readonly id: number;
      readonly offset: number;
      readonly bytes: Buffer;
      readonly fin: boolean;
    }
  | { readonly type: 'max-data' | 'max-streams'; readonly limit: number }
  | { readonly type: 'max-stream-data'; readonly id: number; readonly limit: number }
  | { readonly type: 'connection-close'; readonly code: number; readonly reason: string }
  | { readonly type: 'datagram'; readonly bytes: Buffer };

/** Packet numbers from `first` to `last`, both of which arrived. */
export interface AckRange {
  readonly first: number;
  readonly last: number;
}

/** The frames of a packet. Their bytes are views. Throws {@link DecodeError}. */
export function decodeFrames(payload: Buffer): Frame[] {
  const reader = new ByteReader(payload, 'sim-session/frame');
  const frames: Frame[] = [];
  while (reader.left > 0) frames.push(decodeFrame(reader));
  return frames;
}

/** Writes frames into the payload of one packet. What is asked to be written must fit: see {@link room}. */
export class FrameWriter {
  readonly #buffer: Buffer;
  #size = 0;
  #length = 0;

  /** `size`: bytes that a payload may have at most. */
  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  /** A new payload, of `size` bytes at most. */
  begin(size: number): void {
    this.#size = size;
    this.#length = 0;
  }

  get room(): number {
    return this.#size - this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** A view of what was written, until the next payload. */
  get payload(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  ping(): void {
    this.#numbers(PING);
  }

  handshakeDone(): void {
    this.#numbers(HANDSHAKE_DONE);
  }

  /** `ranges`: the highest first; `delay` in us. */
  ack(ranges: readonly AckRange[], delay: number): void {
    const [{ first, last }, ...rest] = ranges as [AckRange, ...AckRange[]];
    this.#numbers(ACK, last, delay, rest.length, last - first);
    let below = first;
    for (const range of rest) {
      this.#numbers(below - range.last - 2, range.last - range.first);
      below = range.first;
    }
  }

  resetStream(id: number, code: number, finalSize: number): void {
    this.#numbers(RESET_STREAM, id, code, finalSize);
  }

  /** How many bytes of a stream there is room for in a frame of its own; below 0 when not even for the frame. */
  streamRoom(id: number, offset: number): number {
    return this.room - 1 - varintLength(id) - varintLength(offset) - LENGTH_SIZE;
  }

  /** `copy` writes `length` bytes at a place of a buffer. */
  stream(id: number, offset: number, length: number, fin: boolean, copy: (target: Buffer, at: number) => void): void {
    this.#numbers(fin ? STREAM_FIN : STREAM, id, offset, length);
    copy(this.#buffer, this.#length);
    this.#length += length;
  }

  maxData(limit: number): void {
    this.#numbers(MAX_DATA, limit);
  }

  maxStreamData(id: number, limit: number): void {
    this.#numbers(MAX_STREAM_DATA, id, limit);
  }

  maxStreams(limit: number): void {
    this.#numbers(MAX_STREAMS, limit);
  }

  /** `reason`: at most 255 bytes. */
  connectionClose(code: number, reason: Uint8Array): void {
    this.#numbers(CONNECTION_CLOSE, code, reason.length);
    this.#bytes(reason);
  }

  datagram(bytes: Uint8Array): void {
    this.#numbers(DATAGRAM, bytes.length);
    this.#bytes(bytes);
  }

  #numbers(...values: number[]): void {
    for (const value of values) this.#length = writeVarint(this.#buffer, this.#length, value);
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** Bytes that a DATAGRAM takes besides its content. */
export const DATAGRAM_OVERHEAD = 1 + 2;
/** Bytes that any frame of numbers alone needs at most, an ACK aside. */
export const NUMBERS_ROOM = 1 + 3 * 8;

function decodeFrame(reader: ByteReader): Frame {
  const type = reader.varint();
  switch (type) {
    case PING:
      return { type: 'ping' };
    case ACK:
      return decodeAck(reader);
    case RESET_STREAM:
      return { type: 'reset-stream', id: reader.varint(), code: reader.varint(), finalSize: reader.varint() };
    case STREAM:
    case STREAM_FIN: {
      const [id, offset] = [reader.varint(), reader.varint()];
      return { type: 'stream', id, offset, bytes: reader.take(reader.varint()), fin: type === STREAM_FIN };
    }
    case MAX_DATA:
      return { type: 'max-data', limit: reader.varint() };
    case MAX_STREAM_DATA:
      return { type: 'max-stream-data', id: reader.varint(), limit: reader.varint() };
    case MAX_STREAMS:
      return { type: 'max-streams', limit: reader.varint() };
    case CONNECTION_CLOSE: {
      const code = reader.varint();
      return { type: 'connection-close', code, reason: reader.take(reader.varint()).toString() };
    }
    case HANDSHAKE_DONE:
      return { type: 'handshake-done' };
    case DATAGRAM:
      return { type: 'datagram', bytes: reader.take(reader.varint()) };
    default:
      throw new DecodeError('sim-session/frame/type');
  }
}

function decodeAck(reader: ByteReader): Frame {
  const last = reader.varint();
  const delay = reader.varint();
  const ranges: AckRange[] = [];
  let top = last;
  for (let further = reader.varint(); ; further--) {
    const first = top - reader.varint();
    if (first < 0) throw new DecodeError('sim-session/frame/ack');
    ranges.push({ first, last: top });
    if (further === 0) return { type: 'ack', ranges, delay };
    top = first - reader.varint() - 2;
  }
}

const PING = 0x01;
const ACK = 0x02;
const RESET_STREAM = 0x04;
const STREAM = 0x0e;
const STREAM_FIN = 0x0f;
const MAX_DATA = 0x10;
const MAX_STREAM_DATA = 0x11;
const MAX_STREAMS = 0x12;
const CONNECTION_CLOSE = 0x1d;
const HANDSHAKE_DONE = 0x1e;
const DATAGRAM = 0x31;
/** No stream frame is longer than what two bytes can say. */
const LENGTH_SIZE = 2;
