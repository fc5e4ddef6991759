/** Base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * Reads exactly what {@link encodeBase64Url} writes; `undefined` for anything else. Node's own decoder skips foreign
 * characters and ignores the spare bits of the last one, which would give one value many spellings.
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
  return encodeBase64Url(bytes) === text ? bytes : undefined;
}
