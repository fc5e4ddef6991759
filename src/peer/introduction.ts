import type { Contact, Signaling } from '../core/signaling.ts';
import type { Failure } from '../machines/connection-events.ts';
import type { EnvelopeChannel } from '../protocol/rendezvous/index.ts';

/** A secret that dialer and listener share, and what is said under it. */
export interface Acquaintance {
  /** The ticket's, 16 bytes, or what was agreed with the listener's contact, 32 bytes. */
  readonly secret: Uint8Array;
  /** Names the secret in offers: the id of the ticket or of the contact, 16 bytes. */
  readonly id: Uint8Array;
  /** Goes before the envelope of each offer: the dialer's ephemeral key, or nothing with a ticket. */
  readonly preface: Uint8Array;
  readonly channel: EnvelopeChannel;
  /** Dialer without a ticket: the proof of its key that goes into an offer issued at this wall time. */
  readonly prove?: (issuedAt: number) => Uint8Array;
}

/** How the two sides of one connection come to share a secret: by a ticket, or by the listener's key. */
export interface Introduction {
  /** The listener's raw Ed25519 key. */
  readonly listenerKey: Uint8Array;
  /** What the other side has been heard under; with a ticket known from the start. */
  readonly settled: Acquaintance | undefined;
  /** What to say over this carrier; `undefined`: its server is to be asked for the listener's contact. */
  at(carrier: Signaling): Acquaintance | undefined;
  /**
   * The carrier's server has told a contact; false when it adds nothing. Errors: `ERR_PEER_KEY` for one that another
   * key has signed.
   */
  learn(carrier: Signaling, contact: Contact): boolean;
  /**
   * The listener has declined an offer made here: true when its server should be asked whether the contact is still the
   * same.
   */
  doubt(carrier: Signaling): boolean;
  /**
   * The other side was heard over this carrier; gives the carriers where it had been offered something else, in vain.
   */
  settle(carrier: Signaling): readonly Signaling[];
  /** What a server's word in the listener's place means. */
  explain(reason: 'unknown' | 'declined'): Failure;
}

/** Dialer with a ticket, and every listener: the secret is there before the first word. */
export function knownIntroduction(listenerKey: Uint8Array, acquaintance: Acquaintance): Introduction {
  return {
    listenerKey,
    settled: acquaintance,
    at: () => acquaintance,
    learn: () => false,
    doubt: () => false,
    settle: () => [],
    explain: (reason) => TICKET_FAILURES[reason],
  };
}

const TICKET_FAILURES: Readonly<Record<'unknown' | 'declined', Failure>> = {
  unknown: {
    code: 'ERR_PEER_UNKNOWN',
    message: 'nobody listens with the key of this ticket: has the listener ended, or is it at another server?',
  },
  declined: {
    code: 'ERR_TICKET_REJECTED',
    message: 'the listener does not take this ticket: it was made by an earlier run, or the listener ended',
  },
};
