import type { Registration } from '../../core/signaling.ts';
import { verifySignature } from '../../protocol/rendezvous/index.ts';

/**
 * What a listener says on its key's subject, so that of two that hold one key the later one stays:
 * ```
 *  since      6   wall time in ms at which the peer began to listen
 *  signature 64   of the key, over a label and `since`
 * ```
 * It can be repeated by anyone, and then says what it always said: that a run of the key began at that time.
 */
export function encodeClaim({ since, sign }: Pick<Registration, 'since' | 'sign'>): Uint8Array {
  return Buffer.concat([encodeTime(since), sign(claimProof(since))]);
}

/** `since` of a claim that the key has signed; `undefined` for anything else. */
export function readClaim(claim: Uint8Array, key: Uint8Array): number | undefined {
  if (claim.length !== CLAIM_LENGTH) return undefined;
  const since = Buffer.from(claim).readUIntBE(0, TIME_LENGTH);
  return verifySignature(key, claimProof(since), claim.subarray(TIME_LENGTH)) ? since : undefined;
}

/** Under a label that no other signature of the identity begins with. */
function claimProof(since: number): Uint8Array {
  return Buffer.concat([Buffer.from('sallyport/1 nats claim\0'), encodeTime(since)]);
}

function encodeTime(time: number): Buffer {
  const bytes = Buffer.alloc(TIME_LENGTH);
  bytes.writeUIntBE(time, 0, TIME_LENGTH);
  return bytes;
}

const TIME_LENGTH = 6;
const CLAIM_LENGTH = TIME_LENGTH + 64;
