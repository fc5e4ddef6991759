import {
  contactId,
  createContactKey,
  createEnvelopeChannel,
  encapsulate,
  X25519_KEY_LENGTH,
} from '../../../src/protocol/rendezvous/index.ts';
import { verifySignature } from '../../../src/protocol/rendezvous/signature.ts';
import { filled, sampleOffer } from '../../protocol/rendezvous/support.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { attempt, must, type Target } from '../engine/target.ts';
import { SESSION } from './frames.ts';

const listenerKey = filled(32, 2);
const contactKey = createContactKey({ sign: () => filled(64, 3) }, seededChance(1));

/** An ephemeral key and an envelope under what it agrees on: the offer of somebody who has no ticket. */
export const keyOffer: Target = {
  name: 'key-offer',
  share: 0.2,
  seeds: [1, 2].map((seed) => {
    const random = seededChance(seed);
    const { ephemeralKey, secret } = encapsulate(contactKey.contact, random);
    const channel = createEnvelopeChannel({ secret, session: SESSION, listenerKey, role: 'dialer', random });
    return Buffer.concat([ephemeralKey, channel.seal(sampleOffer({ proof: filled(64, 4) }))]);
  }),
  mutate: mutateBytes,
  run(input) {
    must(contactId(contactKey.contact.key).length === 16, 'a contact has an id');
    const opened = attempt(() => {
      const secret = contactKey.decapsulate(input.slice(0, X25519_KEY_LENGTH));
      const random = seededChance(3);
      const channel = createEnvelopeChannel({ secret, session: SESSION, listenerKey, role: 'listener', random });
      return channel.open(input.subarray(X25519_KEY_LENGTH));
    }, ['ERR_DECODE', 'ERR_VERSION']);
    if ('outcome' in opened) return opened.outcome;
    const isSeed = keyOffer.seeds.some((seed) => withoutTopBit(seed).equals(withoutTopBit(input)));
    must(isSeed, 'an offer that was changed does not open');
    return opened.value.type;
  },
};

/** Key and signature of the empty message: RFC 8032 section 7.1, test 1. */
const KNOWN = Buffer.from(
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' +
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  'hex',
);

/** Any 32 bytes for a key and any 64 for its signature: a signature or none, and none where the right one was changed. */
export const signature: Target = {
  name: 'signature',
  share: 0.1,
  seeds: [filled(96, 0), filled(96, 255), KNOWN],
  mutate: mutateBytes,
  run(input) {
    const bytes = Buffer.concat([input.subarray(0, 96), Buffer.alloc(Math.max(0, 96 - input.length))]);
    const verified = verifySignature(bytes.subarray(0, 32), new Uint8Array(), bytes.subarray(32));
    const isKnown = bytes.equals(KNOWN);
    must(!isKnown || verified, 'a signature is one');
    must(isKnown || !verified || !bytes.subarray(0, 32).equals(KNOWN.subarray(0, 32)), 'no other is one for this key');
    return verified ? 'a signature' : 'none';
  },
};

/** The top bit of an X25519 key does not count (RFC 7748 section 5). */
function withoutTopBit(offer: Uint8Array): Buffer {
  const copy = Buffer.from(offer);
  if (copy.length >= X25519_KEY_LENGTH) copy[X25519_KEY_LENGTH - 1]! &= 0x7f;
  return copy;
}
