import { DecodeError } from '../../core/errors.ts';

/*
 *  0                   1
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 * +---------------+---------------+-----------------------+
 * |  version (1)  |  length 1..64 |  protocol, UTF-8 ..   |
 * +---------------+---------------+-----------------------+
 * The first bytes of every stream, sent by its opener at once.
 */

const PREFACE_VERSION = 1;
/** Version and length. */
export const PREFACE_HEADER = 2;

/** Throws `RangeError` when the name is empty or longer than 64 bytes in UTF-8. */
export function encodePreface(protocol: string): Uint8Array {
  const name = Buffer.from(protocol);
  if (name.length === 0 || name.length > MAX_NAME) {
    throw new RangeError(`a protocol name has 1 to ${MAX_NAME} bytes: ${JSON.stringify(protocol)}`);
  }
  return Buffer.concat([Buffer.of(PREFACE_VERSION, name.length), name]);
}

/** Length in bytes of the name that follows these two bytes. Throws {@link DecodeError}. */
export function decodePrefaceHeader(header: Uint8Array): number {
  if (header[0] !== PREFACE_VERSION) throw new DecodeError('session/preface/version');
  const length = header[1]!;
  if (length === 0 || length > MAX_NAME) throw new DecodeError('session/preface/length');
  return length;
}

/** The protocol's name. Throws {@link DecodeError} when it is not UTF-8. */
export function decodePrefaceName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DecodeError('session/preface/protocol');
  }
}

const MAX_NAME = 64;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
