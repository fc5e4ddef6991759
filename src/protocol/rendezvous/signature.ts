import { createPublicKey, verify } from 'node:crypto';
import { encodeBase64Url } from './base64url.ts';

/** Whether `signature` (64 bytes) is that of the raw Ed25519 key (32 bytes) over the message (RFC 8032). */
export function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(key) },
    format: 'jwk',
  });
  return verify(null, message, publicKey, signature);
}
