import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { attributeCode } from './attribute-codec.ts';
import { attributeLength, readAttributes } from './attribute-list.ts';
import { HEADER_LENGTH } from './header.ts';
import type { PasswordHash } from './password-algorithm.ts';

export type IntegrityAlgorithm = 'sha1' | 'sha256';

/**
 * The key of the short-term credential mechanism (RFC 8489 section 9.1.1). OpaqueString (RFC 8265 section 4.2) is
 * covered as far as it maps: spaces of other scripts and normalisation form C. Code points that it forbids are not
 * refused.
 */
export function shortTermKey(password: string): Uint8Array {
  // In memory of its own: a piece of node's pool would hold 8 KiB for as long as the key is used.
  return new TextEncoder().encode(opaqueString(password));
}

/**
 * The key of the long-term credential mechanism (RFC 8489 sections 9.2.2 and 18.5.1), with MD5 unless server and client
 * have agreed on another hash. OpaqueString as above.
 */
export function longTermKey(
  username: string,
  realm: string,
  password: string,
  algorithm: PasswordHash = 'md5',
): Uint8Array {
  return hashOf(algorithm, [username, realm, password]);
}

/** USERHASH: a user name that others on the way cannot read (RFC 8489 section 14.4). OpaqueString as above. */
export function userHash(username: string, realm: string): Uint8Array {
  return hashOf('sha256', [username, realm]);
}

/**
 * Whether the message's integrity attribute matches the key: MESSAGE-INTEGRITY-SHA256 where there is one, else
 * MESSAGE-INTEGRITY. False when there is neither. Takes the same time wherever the difference lies.
 */
export function verifyIntegrity(message: { readonly raw: Uint8Array }, key: Uint8Array): boolean {
  const attributes = readAttributes(message.raw);
  for (const algorithm of ['sha256', 'sha1'] as const) {
    const found = attributes.find(({ code }) => code === INTEGRITY_CODES[algorithm]);
    if (found === undefined) continue;
    const expected = computeIntegrity(message.raw.subarray(0, found.offset), key, algorithm);
    return found.value.length === expected.length && timingSafeEqual(found.value, expected);
  }
  return false;
}

/** The HMAC over header and preceding attributes, with the length as if the integrity attribute were the last one. */
export function computeIntegrity(preceding: Uint8Array, key: Uint8Array, algorithm: IntegrityAlgorithm): Uint8Array {
  const signed = Buffer.from(preceding);
  signed.writeUInt16BE(preceding.length - HEADER_LENGTH + attributeLength(DIGEST_LENGTHS[algorithm]), 2);
  return createHmac(algorithm, key).update(signed).digest();
}

export const INTEGRITY_CODES: Readonly<Record<IntegrityAlgorithm, number>> = {
  sha1: attributeCode('message-integrity'),
  sha256: attributeCode('message-integrity-sha256'),
};

/** In bytes. */
export const DIGEST_LENGTHS: Readonly<Record<IntegrityAlgorithm, number>> = { sha1: 20, sha256: 32 };

/** A name or password in the form that both sides compute with (RFC 8265 section 4.2), as far as described above. */
export function opaqueString(text: string): string {
  return text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

function hashOf(algorithm: PasswordHash, parts: readonly string[]): Uint8Array {
  return createHash(algorithm).update(parts.map(opaqueString).join(':'), 'utf8').digest();
}
