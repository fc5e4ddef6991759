import { DecodeError } from '../../core/errors.ts';

/** How long an attribute's text may be, both ways. */
export interface TextLimits {
  /** In bytes of UTF-8. */
  readonly bytes: number;
  /** In code points. */
  readonly characters: number;
}

/** USERNAME: fewer than 509 bytes (RFC 8489 section 14.3). */
export const USERNAME_LIMITS: TextLimits = { bytes: 508, characters: 508 };

/**
 * REALM, NONCE, SOFTWARE and reason phrases: fewer than 128 characters (RFC 8489 sections 14.8 to 14.10, 14.14), so at
 * most 508 bytes: the RFC's 763 allows for the longer forms that UTF-8 no longer has (RFC 3629).
 */
export const PHRASE_LIMITS: TextLimits = { bytes: 508, characters: 127 };

/** Throws `RangeError` when the text is too long. */
export function encodeText(text: string, limits: TextLimits, name: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length > limits.bytes || codePoints(text) > limits.characters) throw new RangeError(`${name} is too long`);
  return bytes;
}

/** `name` is the attribute's, for {@link DecodeError}. */
export function decodeText(bytes: Uint8Array, limits: TextLimits, name: string): string {
  if (bytes.length > limits.bytes) throw new DecodeError(`stun/${name}/length`);
  const text = decodeUtf8(bytes, name);
  if (codePoints(text) > limits.characters) throw new DecodeError(`stun/${name}/length`);
  return text;
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DecodeError(`stun/${name}/utf-8`);
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
