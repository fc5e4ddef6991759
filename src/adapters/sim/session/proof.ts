import { createPublicKey, verify } from 'node:crypto';
import type { Identity } from '../../../core/identity.ts';

/*
 * | public key (256) | signature (512) |   Ed25519 (RFC 8032), over a name for the role and the hash of the transcript
 */

/** Bytes of a {@link prove | proof}. */
export const PROOF_LENGTH = 32 + 64;

export type Role = 'client' | 'server';

/** That whoever holds this identity took part in the transcript, in this role. */
export function prove(identity: Identity, role: Role, hash: Uint8Array): Buffer {
  return Buffer.concat([identity.publicKey, identity.sign(statement(role, hash))]);
}

/** Whether a proof is that of the holder of the expected key. */
export function isProofOf(expectedKey: Uint8Array, proof: Buffer, role: Role, hash: Uint8Array): boolean {
  const publicKey = proof.subarray(0, 32);
  if (!publicKey.equals(expectedKey)) return false;
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, statement(role, hash), key, proof.subarray(32, PROOF_LENGTH));
}

function statement(role: Role, hash: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`sallyport simulated session, ${role}\0`), hash]);
}
