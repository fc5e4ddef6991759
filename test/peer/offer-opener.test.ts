import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import { createOfferOpener, KEY_OFFERS, type OfferEvent } from '../../src/peer/offer-opener.ts';
import { createTicketBook } from '../../src/peer/ticket-book.ts';
import {
  contactId,
  createContactKey,
  createEnvelopeChannel,
  encapsulate,
  offerProof,
} from '../../src/protocol/rendezvous/index.ts';
import { manualClock } from '../manual-clock.ts';
import { inertSignaling } from './inert-signaling.ts';

const random = cryptoRandom();
const clock = manualClock();
const dialer = createIdentity();

/** Opens what comes without a ticket; counts what it does not so much as try. */
function opener() {
  const listener = createIdentity();
  const contactKey = createContactKey(listener, random);
  const { contact } = contactKey;
  const ticketId = contactId(contact.key);
  const listenerKey = listener.publicKey;
  const env = { clock, random, log: () => {} };
  const made = createOfferOpener({ env, key: listenerKey, tickets: createTicketBook(listenerKey, env), contactKey });
  let declined = 0;
  const carrier = inertSignaling({ leave: () => void declined++ });

  const offer = (session: Uint8Array, envelope: Uint8Array): boolean => {
    const event: OfferEvent = { type: 'offer', session, ticketId, envelope };
    return made.open(carrier, event) !== undefined;
  };
  return {
    get declined() {
      return declined;
    },
    /** What anybody can make who knows the contact. */
    garbage: () => offer(random.bytes(16), random.bytes(200)),
    /** True when the offer was opened and its proof was good. */
    honest() {
      const session = random.bytes(16);
      const { secret, ephemeralKey } = encapsulate(contact, random);
      const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random });
      const issuedAt = clock.wallTime();
      const facts = { listenerKey, contactKey: contact.key, ephemeralKey, session, issuedAt };
      const sealed = channel.seal({
        type: 'offer',
        dialerKey: dialer.publicKey,
        listenerKey,
        issuedAt,
        proof: dialer.sign(offerProof(facts)),
        policy: 'relay-first',
        candidates: [],
        behavior: unknownBehavior,
        flight: [],
        end: true,
      });
      return offer(session, Buffer.concat([ephemeralKey, sealed]));
    },
  };
}

describe('offers without a ticket', () => {
  it('are opened, each of them, among as much garbage as a server hands over', () => {
    const door = opener();
    // A server hands over 2,000 at once and 200/s; two of them a second are honest here.
    for (let i = 0; i < KEY_OFFERS.burst; i++) door.garbage();
    const opened: boolean[] = [];
    for (let second = 0; second < 20; second++) {
      clock.advance(1000);
      for (let i = 0; i < 198; i++) door.garbage();
      opened.push(door.honest(), door.honest());
    }
    expect(opened).toEqual(Array(40).fill(true));
    expect(door.declined).toBe(0);
  });

  it('that are more than that are declined unread, so that nobody makes a peer calculate without end', () => {
    const door = opener();
    for (let i = 0; i < KEY_OFFERS.burst; i++) door.garbage();
    expect([door.honest(), door.declined]).toEqual([false, 1]);
    clock.advance(5);
    expect(door.honest()).toBe(true);
  });
});
