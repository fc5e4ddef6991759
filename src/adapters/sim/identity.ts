import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Identity } from '../../core/identity.ts';
import type { Random } from '../../core/random.ts';

/**
 * An identity from the next 32 bytes of `random`: the same one in every run of a simulation. For simulations only, since whoever knows
 * the seed knows the key.
 */
export function simIdentity(random: Random): Identity {
  const key = Buffer.concat([PKCS8_HEAD, random.bytes(32)]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    // SubjectPublicKeyInfo ends with the 32 bytes of the key (RFC 8410 section 4).
    publicKey: new Uint8Array(spki.subarray(-32)),
    sign: (message) => sign(null, message, privateKey),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** What precedes the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
