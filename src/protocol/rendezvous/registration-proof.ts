import { createPublicKey, verify } from 'node:crypto';
import { encodeBase64Url } from './base64url.ts';

/**
 * What a listener signs to register its key: the server's name and challenge, under a label that no other signature of the identity
 * begins with. A signature is worth nothing on another connection, nor at a server of another name.
 */
export function registrationProof(server: string, challenge: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`sallyport/1 registration\0${server}\0`), challenge]);
}

/** Whether `signature` is `key`'s over the proof (Ed25519, RFC 8032). */
export function verifyRegistration(
  { key, signature }: { readonly key: Uint8Array; readonly signature: Uint8Array },
  server: string,
  challenge: Uint8Array,
): boolean {
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(key) },
    format: 'jwk',
  });
  return verify(null, registrationProof(server, challenge), publicKey, signature);
}
