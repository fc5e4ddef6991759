import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { Deferred } from '../../src/core/deferred.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Contact, Signaling, SignalingEvent } from '../../src/core/signaling.ts';
import {
  contactId,
  createContactKey,
  createEnvelopeChannel,
  type EnvelopeChannel,
  encapsulate,
  type OfferFacts,
  type OfferMessage,
  offerProof,
} from '../../src/protocol/rendezvous/index.ts';
import { tappedSignaling } from './tapped-signaling.ts';
import { createWorld, type InhabitantOptions, type World } from './world.ts';

const random = cryptoRandom();

/** A listener that takes whoever `accept` takes, and what its log says of offers that it dropped. */
async function listening(world: World, { env, ...options }: InhabitantOptions = {}) {
  const dropped: string[] = [];
  const listener = await world.inhabitant({
    accept: () => true,
    ...options,
    env: {
      ...env,
      log(event, details) {
        if (event === 'offer.dropped') dropped.push(String(details?.reason));
      },
    },
  });
  await listener.peer.register();
  let surfaced = 0;
  listener.peer.incoming$.subscribe(() => surfaced++);
  return { listener, key: listener.peer.key, dropped, surfaced: () => surfaced };
}

/** A client of the server that is no peer. */
async function stranger(world: World): Promise<Signaling> {
  const signaling = world.rendezvous.signaling();
  await firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'online')));
  return signaling;
}

async function contactOf(signaling: Signaling, key: Uint8Array): Promise<Contact> {
  const told = firstValueFrom(signaling.events$.pipe(filter(({ type }) => type === 'contact')));
  signaling.lookup({ session: random.bytes(16), key });
  const event = await told;
  if (event.type !== 'contact' || event.contact === undefined) throw new Error('the server tells no contact');
  return event.contact;
}

interface Knock {
  readonly session: Uint8Array;
  /** What the listener says can be opened with it. */
  readonly channel: EnvelopeChannel;
}

interface KnockChanges {
  readonly facts?: Partial<OfferFacts>;
  readonly message?: Partial<OfferMessage>;
  /** Whose signature is shown; the dialer's own when absent. */
  readonly signer?: ReturnType<typeof createIdentity>;
}

/** Offers a session by hand: a dialer with a key of its own, and whatever the test makes it claim besides. */
function knock(
  signaling: Signaling,
  { listenerKey, contact }: { listenerKey: Uint8Array; contact: Contact },
  dialer = createIdentity(),
  { facts, message, signer = dialer }: KnockChanges = {},
): Knock {
  const session = new Uint8Array(random.bytes(16));
  const { secret, ephemeralKey } = encapsulate(contact, random);
  const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random });
  const issuedAt = Date.now();
  const proof = offerProof({ listenerKey, contactKey: contact.key, ephemeralKey, session, issuedAt, ...facts });
  const sealed = channel.seal({
    type: 'offer',
    dialerKey: dialer.publicKey,
    listenerKey,
    issuedAt,
    proof: signer.sign(proof),
    policy: 'relay-first',
    candidates: [],
    behavior: unknownBehavior,
    flight: [],
    end: true,
    ...message,
  });
  const envelope = Buffer.concat([ephemeralKey, sealed]);
  signaling.offer({ session, to: listenerKey, ticketId: contactId(contact.key), envelope });
  return { session, channel };
}

/** What the listener and the server say next, of any session. */
const heard = (signaling: Signaling, count: number): Promise<SignalingEvent[]> =>
  firstValueFrom(signaling.events$.pipe(take(count), toArray()));

describe('an offer without a ticket', () => {
  it('is answered when its proof is good', async () => {
    await using world = createWorld();
    const { key } = await listening(world);
    const signaling = await stranger(world);
    const contact = await contactOf(signaling, key);
    const answer = heard(signaling, 1);
    const { channel } = knock(signaling, { listenerKey: key, contact });
    const [event] = await answer;
    if (event?.type !== 'envelope') throw new Error(`${event?.type} where an answer was due`);
    expect(channel.open(event.envelope)).toMatchObject({ type: 'answer' });
  });

  it.each<[string, KnockChanges]>([
    ['no proof', { message: { proof: undefined as never } }],
    ['the signature of another key', { signer: createIdentity() }],
    ['a proof for another listener', { facts: { listenerKey: createIdentity().publicKey } }],
    ['a proof for another contact', { facts: { contactKey: random.bytes(32) } }],
    ['a proof for another ephemeral key', { facts: { ephemeralKey: random.bytes(32) } }],
    ['a proof for another session', { facts: { session: random.bytes(16) } }],
    ['a proof for another time', { facts: { issuedAt: 1 } }],
    ['the key of somebody else', { message: { dialerKey: createIdentity().publicKey } }],
  ])('gets no word for %s', async (_, changes) => {
    await using world = createWorld();
    const { key, dropped, surfaced } = await listening(world);
    const signaling = await stranger(world);
    const contact = await contactOf(signaling, key);
    const said: SignalingEvent[] = [];
    signaling.events$.subscribe((event) => said.push(event));
    knock(signaling, { listenerKey: key, contact }, createIdentity(), changes);
    // The listener reads in order: once it has answered this one, it has dropped the other.
    const { session } = knock(signaling, { listenerKey: key, contact });
    await firstValueFrom(signaling.events$.pipe(filter(({ type }) => type === 'envelope')));
    expect(said).toMatchObject([{ type: 'envelope', session }]);
    expect(dropped).toEqual([expect.stringContaining('offer/proof')]);
    expect(surfaced()).toBe(0);
  });

  it('for a contact of somebody else is not looked at', async () => {
    await using world = createWorld();
    const { listener, key, dropped } = await listening(world);
    const signaling = await stranger(world);
    const answer = heard(signaling, 1);
    const { session } = knock(signaling, {
      listenerKey: key,
      contact: createContactKey(createIdentity(), random).contact,
    });
    expect(await answer).toEqual([{ type: 'unreachable', session, reason: 'declined' }]);
    expect(dropped).toEqual([]);
    await listener.peer.close();
  });

  it('is good for one connection', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const { key, surfaced } = await listening(world);
    const dialer = await world.inhabitant({ env: { signaling: tap.signaling } });
    const connection = dialer.peer.connect({ key });
    await connection.ready;
    await connection.close();
    const signaling = await stranger(world);
    const said = heard(signaling, 2);
    signaling.offer(tap.offers[0]!);
    // The rejection is sealed for the dialer; all that a stranger sees of it is its length.
    expect(await said).toMatchObject([{ type: 'envelope' }, { type: 'unreachable', reason: 'gone' }]);
    expect(surfaced()).toBe(1);
  });

  it('is refused while 8 of its dialer are being decided on', async () => {
    const count = 9;
    await using world = createWorld();
    const asked = new Deferred();
    let knocks = 0;
    const { key } = await listening(world, {
      accept() {
        if (++knocks === count - 1) asked.resolve();
        return new Promise(() => {});
      },
    });
    const signaling = await stranger(world);
    const contact = await contactOf(signaling, key);
    const dialer = createIdentity();
    const said = heard(signaling, 2);
    const sent = Array.from({ length: count }, () => knock(signaling, { listenerKey: key, contact }, dialer));
    await asked.promise;
    const [rejection] = await said;
    if (rejection?.type !== 'envelope') throw new Error(`${rejection?.type} where a rejection was due`);
    expect(sent.at(-1)?.channel.open(rejection.envelope)).toMatchObject({ type: 'reject', code: 'ERR_BUSY' });
    expect(knocks).toBe(count - 1);
  });
});
