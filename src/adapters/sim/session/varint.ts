import { DecodeError } from '../../../core/errors.ts';

/*
 * Integers of 1, 2, 4 or 8 bytes, whose first two bits say how many (RFC 9000 section 16); here at most 2^53-1, which is as far
 * as a number is exact.
 */

/** Bytes that {@link writeVarint} takes for `value`, 0..2^53-1. */
export function varintLength(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x4000_0000 ? 4 : 8;
}

/** Writes at `at`, and gives the place after it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  switch (varintLength(value)) {
    case 1:
      return target.writeUInt8(value, at);
    case 2:
      return target.writeUInt16BE(value + 0x4000, at);
    case 4:
      return target.writeUInt32BE(value + 0x8000_0000, at);
    default:
      target.writeUInt32BE(Math.floor(value / 2 ** 32) + 0xc000_0000, at);
      return target.writeUInt32BE(value % 2 ** 32, at + 4);
  }
}

/** Reads bytes from front to back. Throws {@link DecodeError} where they end too early, or a number is too large. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #where: string;
  #at = 0;

  constructor(bytes: Buffer, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  varint(): number {
    const size = 1 << (this.#need(1) >> 6);
    const at = this.#at;
    this.#need(size);
    this.#at += size;
    if (size === 1) return this.#bytes[at]!;
    if (size === 2) return this.#bytes.readUInt16BE(at) - 0x4000;
    if (size === 4) return this.#bytes.readUInt32BE(at) - 0x8000_0000;
    const value = (this.#bytes.readUInt32BE(at) - 0xc000_0000) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
    if (value > Number.MAX_SAFE_INTEGER) throw new DecodeError(this.#where, 'a number above 2^53-1');
    return value;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Buffer {
    if (length > 0) this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** The next byte, when there are that many left. */
  #need(length: number): number {
    if (this.left < length) throw new DecodeError(this.#where, 'cut off');
    return this.#bytes[this.#at]!;
  }
}
