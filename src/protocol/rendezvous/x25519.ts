import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { DecodeError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** A key pair for Diffie-Hellman on Curve25519 (RFC 7748 section 6.1). */
export interface X25519KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * 32 bytes shared with the holder of the other key. Throws `DecodeError` for a point of small order, which would
   * share a constant.
   */
  agree(theirs: Uint8Array): Uint8Array;
}

export function createX25519KeyPair(random: Random): X25519KeyPair {
  const privateKey = createPrivateKey({ key: { ...X25519, d: base64url(random.bytes(32)), x: '' }, format: 'jwk' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    publicKey: new Uint8Array(Buffer.from(x, 'base64url')),
    agree(theirs) {
      const publicKey = createPublicKey({ key: { ...X25519, x: base64url(theirs) }, format: 'jwk' });
      try {
        return new Uint8Array(diffieHellman({ privateKey, publicKey }));
      } catch {
        throw new DecodeError('x25519/public-key', 'a point of small order');
      }
    },
  };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/**
 * As a JSON Web Key (RFC 8037 section 2), which is read in a tenth of the time of DER. Of a private one Node wants the public half too,
 * and works it out by itself.
 */
const X25519 = { kty: 'OKP', crv: 'X25519' };
