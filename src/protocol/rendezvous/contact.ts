import { DecodeError } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';
import type { Random } from '../../core/random.ts';
import type { Contact } from '../../core/signaling.ts';
import { deriveKey, NO_SESSION } from './key-schedule.ts';
import { verifySignature } from './signature.ts';
import { createX25519KeyPair } from './x25519.ts';

/**
 * A listener's own end of its contact: an X25519 key pair that lives as long as the process, signed by the identity.
 * Whoever dials the identity's key agrees with it on the secret that otherwise a ticket would hold.
 */
export interface ContactKey {
  readonly contact: Contact;
  /**
   * The secret that the sender of this ephemeral key (32 bytes) has derived. Throws `DecodeError` for a key that is
   * none.
   */
  decapsulate(ephemeralKey: Uint8Array): Uint8Array;
}

/**
 * A secret for one contact, and what its listener needs to derive the same (a KEM, in the words of RFC 9180 section 4).
 */
export interface Encapsulation {
  /** 32 bytes; takes the place of a ticket's secret. */
  readonly secret: Uint8Array;
  /** Raw X25519 public key, 32 bytes. */
  readonly ephemeralKey: Uint8Array;
}

export function createContactKey({ sign }: Pick<Identity, 'sign'>, random: Random): ContactKey {
  const pair = createX25519KeyPair(random);
  const key = pair.publicKey;
  return {
    contact: { key, signature: new Uint8Array(sign(contactProof(key))) },
    decapsulate(ephemeralKey) {
      if (ephemeralKey.length !== X25519_KEY_LENGTH) throw new DecodeError('envelope/ephemeral-key');
      return contactSecret(pair.agree(ephemeralKey), ephemeralKey, key);
    },
  };
}

/**
 * A fresh secret that only the holder of the contact's private key can derive too. Throws `DecodeError` for a key that
 * is none.
 */
export function encapsulate(contact: Contact, random: Random): Encapsulation {
  const pair = createX25519KeyPair(random);
  const ephemeralKey = pair.publicKey;
  return { ephemeralKey, secret: contactSecret(pair.agree(contact.key), ephemeralKey, contact.key) };
}

/** Whether the contact was signed by this Ed25519 key. */
export function verifyContact({ key, signature }: Contact, identity: Uint8Array): boolean {
  return verifySignature(identity, contactProof(key), signature);
}

/** The 16 bytes that stand in an offer where otherwise the ticket's id does. */
export function contactId(key: Uint8Array): Uint8Array {
  return deriveKey(key, NO_SESSION, 'contact id', 16);
}

/** What the identity signs: the key, under a label that no other signature of the identity begins with. */
function contactProof(key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('sallyport/1 contact\0'), key]);
}

/** Both public keys are part of the derivation: the shared point alone does not name them (RFC 7748 section 6.1). */
function contactSecret(shared: Uint8Array, ephemeralKey: Uint8Array, contactKey: Uint8Array): Uint8Array {
  return deriveKey(shared, Buffer.concat([ephemeralKey, contactKey]), 'contact secret', 32);
}

/** Bytes of an X25519 public key, in a contact and at the head of an offer's envelope. */
export const X25519_KEY_LENGTH = 32;
