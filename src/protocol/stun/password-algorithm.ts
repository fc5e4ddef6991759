/**
 * PASSWORD-ALGORITHM, and PASSWORD-ALGORITHMS, which is a list of the same (RFC 8489 sections 14.11 and 14.12).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |          Algorithm            |   Length of the parameters    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      Parameters, padded with zeros to a multiple of 4 bytes   |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { DecodeError } from '../../core/errors.ts';
import { asBuffer } from './buffer.ts';
import type { Codec } from './value-codec.ts';

/** How a long-term key is derived from a password. */
export interface PasswordAlgorithm {
  /** Of the IANA "STUN Password Algorithms" registry, 16 bits; see {@link PASSWORD_ALGORITHMS}. */
  readonly algorithm: number;
  /** Empty for those that are known. */
  readonly parameters: Uint8Array;
}

/** RFC 8489 section 18.5.1. */
export const PASSWORD_ALGORITHMS = { md5: 0x0001, sha256: 0x0002 } as const;

export type PasswordHash = keyof typeof PASSWORD_ALGORITHMS;

/** `undefined` when the algorithm, or what it is to be used with, is not known here. */
export function passwordHash({ algorithm, parameters }: PasswordAlgorithm): PasswordHash | undefined {
  if (parameters.length > 0) return undefined;
  return HASHES.find((hash) => PASSWORD_ALGORITHMS[hash] === algorithm);
}

export function passwordAlgorithm(code: number, name: string): Codec<PasswordAlgorithm> {
  return {
    code,
    encode: (fields) => encodeList([fields]),
    decode(value) {
      const [first, ...others] = decodeList(value, name);
      if (first === undefined || others.length > 0) throw new DecodeError(`stun/${name}/length`);
      return first;
    },
  };
}

export function passwordAlgorithms(
  code: number,
  name: string,
): Codec<{ readonly algorithms: readonly PasswordAlgorithm[] }> {
  return {
    code,
    encode: ({ algorithms }) => encodeList(algorithms),
    decode: (value) => ({ algorithms: decodeList(value, name) }),
  };
}

const HASHES = Object.keys(PASSWORD_ALGORITHMS) as readonly PasswordHash[];
const HEADER_LENGTH = 4;

function encodeList(algorithms: readonly PasswordAlgorithm[]): Uint8Array {
  const pieces = algorithms.map(({ algorithm, parameters }) => {
    const piece = Buffer.alloc(HEADER_LENGTH + padded(parameters.length));
    piece.writeUInt16BE(algorithm, 0);
    piece.writeUInt16BE(parameters.length, 2);
    piece.set(parameters, HEADER_LENGTH);
    return piece;
  });
  return Buffer.concat(pieces);
}

function decodeList(value: Uint8Array, name: string): PasswordAlgorithm[] {
  const bytes = asBuffer(value);
  const algorithms: PasswordAlgorithm[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_LENGTH > bytes.length) throw new DecodeError(`stun/${name}/length`);
    const length = bytes.readUInt16BE(at + 2);
    const start = at + HEADER_LENGTH;
    const next = start + padded(length);
    if (next > bytes.length) throw new DecodeError(`stun/${name}/parameters`, `${length} bytes at ${start}`);
    algorithms.push({ algorithm: bytes.readUInt16BE(at), parameters: bytes.subarray(start, start + length) });
    at = next;
  }
  return algorithms;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
