import { TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Identity } from '../core/identity.ts';
import type { Random } from '../core/random.ts';
import type { Contact, Signaling } from '../core/signaling.ts';
import type { Failure } from '../machines/connection-events.ts';
import {
  contactId,
  createEnvelopeChannel,
  encapsulate,
  offerProof,
  verifyContact,
} from '../protocol/rendezvous/index.ts';
import type { ContactBook } from './contact-book.ts';
import type { Acquaintance, Introduction } from './introduction.ts';

export interface KeyIntroductionOptions {
  readonly listenerKey: Uint8Array;
  /** 16 bytes. */
  readonly session: Uint8Array;
  /** The dialer's. */
  readonly identity: Pick<Identity, 'sign'>;
  /** Contacts under which listeners were heard before. */
  readonly contacts: ContactBook;
  readonly random: Random;
}

/**
 * The dialer's introduction to a listener of which it has only the key: it agrees on a secret with the listener's
 * contact, which a server tells and the key has signed. Servers may tell different ones, of an earlier run for example;
 * each is offered to over the carrier that told it, and the one that is answered counts. So no server can keep the
 * dialer from finding the listener at another.
 */
export function keyIntroduction(options: KeyIntroductionOptions): Introduction {
  const { listenerKey, contacts } = options;
  /** By contact key: two servers that tell the same contact are offered the same. */
  const met = new Map<string, Met>();
  const told = new Map<Signaling, Met>();
  /** Where the contact that was remembered is not believed any more. */
  const doubted = new Set<Signaling>();
  let settled: Met | undefined;

  const meet = (contact: Contact): Met => {
    const name = toHex(contact.key);
    const one = met.get(name) ?? makeAcquaintance(contact, options);
    met.set(name, one);
    return one;
  };

  const known = contacts.find(listenerKey);
  const remembered = known && meet(known);

  const at = (carrier: Signaling): Met | undefined =>
    settled ?? told.get(carrier) ?? (doubted.has(carrier) ? undefined : remembered);

  return {
    listenerKey,
    get settled() {
      return settled;
    },
    at,
    learn(carrier, contact) {
      if (settled !== undefined || told.has(carrier)) return false;
      if (!verifyContact(contact, listenerKey)) {
        throw new TraversalError(
          'ERR_PEER_KEY',
          'the server told a contact that is not signed by the key that was dialled',
        );
      }
      told.set(carrier, meet(contact));
      return true;
    },
    doubt(carrier) {
      if (settled !== undefined || remembered === undefined || told.has(carrier) || doubted.has(carrier)) return false;
      doubted.add(carrier);
      return true;
    },
    settle(carrier) {
      const heard = at(carrier);
      if (settled !== undefined || heard === undefined) return [];
      settled = heard;
      contacts.keep(listenerKey, heard.contact);
      return [...told].filter(([, other]) => other !== heard).map(([elsewhere]) => elsewhere);
    },
    explain: (reason) => FAILURES[reason],
  };
}

interface Met extends Acquaintance {
  readonly contact: Contact;
}

/** Throws `DecodeError` for a contact whose key is none. */
function makeAcquaintance(contact: Contact, { listenerKey, session, identity, random }: KeyIntroductionOptions): Met {
  const { secret, ephemeralKey } = encapsulate(contact, random);
  const facts = { listenerKey, contactKey: contact.key, ephemeralKey, session };
  return {
    contact,
    secret,
    id: contactId(contact.key),
    preface: ephemeralKey,
    channel: createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random }),
    prove: (issuedAt) => identity.sign(offerProof({ ...facts, issuedAt })),
  };
}

const FAILURES: Readonly<Record<'unknown' | 'declined', Failure>> = {
  unknown: {
    code: 'ERR_PEER_UNKNOWN',
    message:
      'nobody can be dialled by this key: has the listener ended, is it at another server, or does it take tickets only?',
  },
  declined: {
    code: 'ERR_OFFER_REJECTED',
    message: 'the listener did not look at the offer: it has too many, or has ended',
  },
};
