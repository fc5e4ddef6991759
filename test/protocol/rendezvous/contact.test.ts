import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  contactId,
  createContactKey,
  encapsulate,
  offerProof,
  verifyContact,
  verifyOffer,
} from '../../../src/protocol/rendezvous/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { filled, testIdentity } from './support.ts';

const identity = testIdentity();
const contactKey = createContactKey(identity, seededRandom('listener'));
const { contact } = contactKey;

/** Public keys with which every private key agrees on zero (RFC 7748 section 6.1). */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

describe('contact', () => {
  it('lets a dialer and the listener derive one secret, another for each dial', () => {
    const [one, other] = [encapsulate(contact, seededRandom('one')), encapsulate(contact, seededRandom('other'))];
    expect(contactKey.decapsulate(one.ephemeralKey)).toEqual(one.secret);
    expect(contactKey.decapsulate(other.ephemeralKey)).toEqual(other.secret);
    expect(one.secret).toHaveLength(32);
    expect(one.secret).not.toEqual(other.secret);
  });

  it('gives nothing to the listener of another contact', () => {
    const { ephemeralKey, secret } = encapsulate(contact, seededRandom('one'));
    expect(createContactKey(identity, seededRandom('thief')).decapsulate(ephemeralKey)).not.toEqual(secret);
  });

  it('is the same for the same chance, so that a run can be repeated', () => {
    expect(createContactKey(identity, seededRandom('listener')).contact).toEqual(contact);
  });

  it('is signed by its identity and no other', () => {
    expect(verifyContact(contact, identity.key)).toBe(true);
    expect(verifyContact(contact, testIdentity().key)).toBe(false);
    expect(verifyContact({ ...contact, key: encapsulate(contact, seededRandom('x')).ephemeralKey }, identity.key)).toBe(
      false,
    );
    expect(verifyContact({ ...contact, signature: identity.sign(contact.key) }, identity.key)).toBe(false);
  });

  it.each(smallOrder)('takes no key of small order (%#)', (key) => {
    expect(() => contactKey.decapsulate(key)).toThrow(DecodeError);
    expect(() => encapsulate({ ...contact, key }, seededRandom('dialer'))).toThrow(DecodeError);
  });

  it('throws nothing but DecodeError for whatever comes as an ephemeral key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          expect(contactKey.decapsulate(bytes)).toHaveLength(32);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('is named by 16 bytes', () => {
    expect(contactId(contact.key)).toHaveLength(16);
    expect(contactId(contact.key)).not.toEqual(contactId(filled(32, 1)));
  });
});

describe('the proof of an offer', () => {
  const dialer = testIdentity();
  const facts = {
    listenerKey: identity.key,
    contactKey: contact.key,
    ephemeralKey: filled(32, 1),
    session: filled(16, 2),
    issuedAt: 1_700_000_000_000,
  };
  const proof = dialer.sign(offerProof(facts));

  it('holds for what was signed and for the key that signed it', () => {
    expect(verifyOffer(facts, dialer.key, proof)).toBe(true);
    expect(verifyOffer(facts, identity.key, proof)).toBe(false);
  });

  it.each([
    ['listener', { listenerKey: filled(32, 9) }],
    ['contact', { contactKey: filled(32, 9) }],
    ['ephemeral key', { ephemeralKey: filled(32, 9) }],
    ['session', { session: filled(16, 9) }],
    ['time', { issuedAt: facts.issuedAt + 1 }],
  ])('does not hold for another %s', (_, change) => {
    expect(verifyOffer({ ...facts, ...change }, dialer.key, proof)).toBe(false);
  });
});
