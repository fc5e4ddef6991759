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
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, random.bytes(32)]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: new Uint8Array(spki.subarray(SPKI_HEAD.length)),
    agree(theirs) {
      const publicKey = createPublicKey({ key: Buffer.concat([SPKI_HEAD, theirs]), format: 'der', type: 'spki' });
      try {
        return new Uint8Array(diffieHellman({ privateKey, publicKey }));
      } catch {
        throw new DecodeError('x25519/public-key', 'a point of small order');
      }
    },
  };
}

/**
 * What precedes the 32 bytes of a private key in PKCS #8, and of a public key in SubjectPublicKeyInfo (RFC 8410
 * sections 4 and 7).
 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b656e032100', 'hex');
