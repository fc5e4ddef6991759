import { verifySignature } from './signature.ts';

/** What a dialer without a ticket signs: whom it offers to, under which keys, in which session, when. */
export interface OfferFacts {
  /** Listener's raw Ed25519 key, 32 bytes. */
  readonly listenerKey: Uint8Array;
  /** X25519 keys of the listener's contact and of this offer, 32 bytes each. */
  readonly contactKey: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  /** 16 bytes. */
  readonly session: Uint8Array;
  /** Wall time in ms, as the offer names it. */
  readonly issuedAt: number;
}

/** The bytes that are signed, under a label that no other signature of the identity begins with. */
export function offerProof({ listenerKey, contactKey, ephemeralKey, session, issuedAt }: OfferFacts): Uint8Array {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(issuedAt));
  return Buffer.concat([Buffer.from('sallyport/1 offer\0'), listenerKey, contactKey, ephemeralKey, session, time]);
}

/**
 * Whether `proof` is the signature of this Ed25519 key: then whoever made the offer holds it, and made it for these
 * facts alone.
 */
export function verifyOffer(facts: OfferFacts, dialerKey: Uint8Array, proof: Uint8Array): boolean {
  return verifySignature(dialerKey, offerProof(facts), proof);
}
