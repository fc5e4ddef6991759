import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { TraversalError } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';

/** A fresh identity that lives as long as the program. */
export function createIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey);
}

/**
 * The identity in a PKCS #8 PEM (RFC 8410). Errors: `ERR_IDENTITY_FILE` when it is not an unencrypted Ed25519 private
 * key.
 */
export function identityFromPem(pem: string): Identity {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new TraversalError('ERR_IDENTITY_FILE', 'not an unencrypted private key in PKCS #8 PEM', { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new TraversalError('ERR_IDENTITY_FILE', `an ${key.asymmetricKeyType} key, where Ed25519 is wanted`);
  }
  return identityOf(key);
}

/**
 * Short text by which people tell keys apart: 12 characters of base32 (RFC 4648) in groups of four. Not a proof of
 * anything.
 */
export function identityName(publicKey: Uint8Array): string {
  const digest = createHash('sha256').update(publicKey).digest();
  let name = '';
  for (let i = 0; i < NAME_LENGTH; i++) {
    if (i > 0 && i % 4 === 0) name += '-';
    const bit = 5 * i;
    name += BASE32[(digest.readUInt16BE(bit >> 3) >> (11 - (bit & 7))) & 31];
  }
  return name;
}

function identityOf(privateKey: KeyObject): Identity {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    // SubjectPublicKeyInfo ends with the 32 bytes of the key (RFC 8410 section 4).
    publicKey: new Uint8Array(spki.subarray(-32)),
    sign: (message) => sign(null, message, privateKey),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

const NAME_LENGTH = 12;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
