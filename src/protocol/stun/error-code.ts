/**
 * ERROR-CODE as an attribute value (RFC 8489 section 14.8).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           Reserved, should be 0         |Class|     Number    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      Reason Phrase (UTF-8)                                   ..
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { DecodeError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { decodeText, encodeText, PHRASE_LIMITS } from './text.ts';

export interface ErrorCodeFields {
  /** 300..699. */
  readonly code: number;
  /** For people; as it is read, without what could paint a terminal. */
  readonly reason: string;
}

/** Throws `RangeError` on a code outside 300..699 or a long phrase. */
export function encodeErrorCode({ code, reason }: ErrorCodeFields): Uint8Array {
  if (!Number.isInteger(code) || code < 300 || code > 699) throw new RangeError(`not a STUN error code: ${code}`);
  const phrase = encodeText(reason, PHRASE_LIMITS, 'error-code');
  return Uint8Array.of(0, 0, Math.floor(code / 100), code % 100, ...phrase);
}

/** `name` is the attribute's, for {@link DecodeError}. */
export function decodeErrorCode(value: Uint8Array, name: string): ErrorCodeFields {
  if (value.length < 4) throw new DecodeError(`stun/${name}/length`);
  const hundreds = value[2]! & 0x07;
  const number = value[3]!;
  if (hundreds < 3 || hundreds > 6) throw new DecodeError(`stun/${name}/class`, `${hundreds}`);
  if (number > 99) throw new DecodeError(`stun/${name}/number`, `${number}`);
  const reason = printable(decodeText(value.subarray(4), PHRASE_LIMITS, name), PHRASE_LIMITS.bytes);
  return { code: 100 * hundreds + number, reason };
}
