import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { memoryRendezvous } from '../../src/adapters/signaling/memory.ts';
import { decodeTicket, type OfferMessage } from '../../src/protocol/rendezvous/index.ts';
import { tappedSignaling } from '../peer/tapped-signaling.ts';
import { codeOf, createWorld, type World } from '../peer/world.ts';
import { answerOf, forgeOffer, nextOf, strangerAt } from './offer-forgery.ts';
import {
  connected,
  EXCHANGED,
  exchange,
  impostorSessions,
  reasonsOf,
  type VictimsOptions,
  victims,
} from './victims.ts';

const random = cryptoRandom();
const MINUTE = 60_000;
const PATIENCE = { timeout: 5000 };

/** A connection of two victims, and the offer that a listening server has kept of it. */
async function overheard(world: World, options: VictimsOptions = {}) {
  const tap = tappedSignaling(() => world.rendezvous.signaling());
  const pair = await connected(world, { ...options, dialer: { env: { signaling: tap.signaling } } });
  return { ...pair, offer: tap.offers[0]! };
}

describe.concurrent('an offer that is replayed', () => {
  it('by a stranger while its session stands is refused, and the session goes on', async () => {
    await using world = createWorld();
    const pair = await overheard(world);
    const stranger = await strangerAt(world.rendezvous.signaling());
    const answer = nextOf(stranger, pair.offer.session);
    stranger.offer(pair.offer);
    expect(await answer).toMatchObject({ type: 'error', code: 'ERR_SERVER_REFUSED' });
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(pair.incoming).toHaveLength(1);
  });

  it('many times at once is decided on once', async () => {
    await using world = createWorld();
    let asked = 0;
    const pair = await victims(world, { listener: { accept: () => ++asked > 0 } });
    const stranger = await strangerAt(world.rendezvous.signaling());
    const { offer } = forgeOffer(pair.ticket);
    const handedOn = world.rendezvous.counters().offers;
    for (let i = 0; i < 20; i++) stranger.offer(offer);
    // The listener hears in order: by the time of its answer to this one it has heard all the others.
    await answerOf(stranger, forgeOffer(pair.ticket));
    expect(world.rendezvous.counters().offers - handedOn).toBe(21);
    expect(asked).toBe(2);
  });

  it('after its session has ended is rejected', async () => {
    await using world = createWorld();
    const pair = await overheard(world);
    await pair.here.close();
    const stranger = await strangerAt(world.rendezvous.signaling());
    const { secret, key } = pair.ticket;
    const { channel } = forgeOffer({ secret, key }, { session: pair.offer.session });
    expect(await answerOf(stranger, { offer: pair.offer, channel })).toMatchObject({
      type: 'reject',
      code: 'ERR_OFFER_REJECTED',
    });
    expect(pair.incoming).toHaveLength(1);
  });

  it('to the same listener at another server is rejected', async () => {
    await using world = createWorld();
    const elsewhere = memoryRendezvous({ clock: systemClock(), random });
    const pair = await overheard(world, {
      listener: {
        env: {
          servers: ['ws://memory', 'ws://elsewhere'],
          signaling: (url) => (new URL(url).hostname === 'memory' ? world.rendezvous : elsewhere).signaling(),
        },
      },
    });
    await vi.waitFor(() => expect(elsewhere.counters().registrations === 1).toBe(true), PATIENCE);
    await pair.here.close();
    const stranger = await strangerAt(elsewhere.signaling());
    const { channel } = forgeOffer(pair.ticket, { session: pair.offer.session });
    expect(await answerOf(stranger, { offer: pair.offer, channel })).toMatchObject({
      type: 'reject',
      code: 'ERR_OFFER_REJECTED',
    });
    expect(pair.incoming).toHaveLength(1);
  });

  it('to the same listener after it has restarted is not looked at', async () => {
    await using world = createWorld();
    const identity = createIdentity();
    const pair = await overheard(world, { listener: { identity } });
    await pair.listener.peer.close();
    const again = await victims(world, { listener: { identity } });
    const stranger = await strangerAt(world.rendezvous.signaling());
    const answer = nextOf(stranger, pair.offer.session);
    stranger.offer(pair.offer);
    expect(await answer).toMatchObject({ type: 'unreachable', reason: 'declined' });
    expect(again.incoming).toEqual([]);
  });
});

describe.concurrent('an offer that is forged', () => {
  it('is answered when nothing about it is false', async () => {
    await using world = createWorld();
    const { ticket } = await victims(world);
    const stranger = await strangerAt(world.rendezvous.signaling());
    expect(await answerOf(stranger, forgeOffer(ticket))).toMatchObject({ type: 'answer' });
  });

  it('with the ticket’s id and without its secret gets no word', async () => {
    await using world = createWorld();
    const dropped = reasonsOf('offer.dropped');
    const { ticket, incoming } = await victims(world, { listener: { env: { log: dropped.log } } });
    const stranger = await strangerAt(world.rendezvous.signaling());
    const said: string[] = [];
    stranger.events$.subscribe(({ type }) => said.push(type));
    for (let i = 0; i < 50; i++) stranger.offer(forgeOffer(ticket, { secret: random.bytes(16) }).offer);
    // The listener reads in order: by the time of its answer to this one it has dropped all the others.
    await answerOf(stranger, forgeOffer(ticket));
    expect(dropped.reasons).toHaveLength(50);
    expect(said.filter((type) => type !== 'standing')).toEqual(['envelope']);
    expect(incoming).toEqual([]);
  });

  it('without so much as the ticket’s id is declined', async () => {
    await using world = createWorld();
    const { ticket, incoming } = await victims(world);
    const stranger = await strangerAt(world.rendezvous.signaling());
    const { offer } = forgeOffer({ key: ticket.key, secret: random.bytes(16) });
    const answer = nextOf(stranger, offer.session);
    stranger.offer(offer);
    expect(await answer).toMatchObject({ type: 'unreachable', reason: 'declined' });
    expect(incoming).toEqual([]);
  });

  it.each<[string, Partial<OfferMessage>, string]>([
    ['issued 11 minutes ago', { issuedAt: Date.now() - 11 * MINUTE }, 'ERR_OFFER_EXPIRED'],
    ['issued in 11 minutes', { issuedAt: Date.now() + 11 * MINUTE }, 'ERR_OFFER_EXPIRED'],
    ['issued at the beginning of time', { issuedAt: 0 }, 'ERR_OFFER_EXPIRED'],
    ['issued at the end of time', { issuedAt: 2 ** 48 - 1 }, 'ERR_OFFER_EXPIRED'],
    ['for another listener’s key', { listenerKey: createIdentity().publicKey }, 'ERR_PEER_KEY'],
  ])('%s is rejected', async (_, message, code) => {
    await using world = createWorld();
    const { ticket, incoming } = await victims(world);
    const stranger = await strangerAt(world.rendezvous.signaling());
    expect(await answerOf(stranger, forgeOffer(ticket, { message }))).toMatchObject({ type: 'reject', code });
    expect(incoming).toEqual([]);
  });

  it('in the name of another dialer’s key is asked about, and gets no session', async () => {
    await using world = createWorld();
    const failed = reasonsOf('incoming.failed');
    const somebody = createIdentity();
    const asked: Uint8Array[] = [];
    const pair = await victims(world, {
      listener: { accept: ({ key }) => asked.push(key) > 0, env: { log: failed.log } },
      dialer: { identity: somebody, env: { sessions: impostorSessions } },
    });
    const connection = pair.dialer.peer.connect(pair.text);
    await connection.verdict;
    await vi.waitFor(() => expect(failed.reasons.length === 1).toBe(true), PATIENCE);
    expect(asked).toEqual([somebody.publicKey]);
    expect(failed.reasons).toEqual(['ERR_PEER_KEY']);
    expect(pair.incoming).toEqual([]);
  });

  it('with the QUIC flight of somebody else’s offer gets no session', async () => {
    await using world = createWorld();
    const failed = reasonsOf('incoming.failed');
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const pair = await victims(world, {
      listener: { env: { log: failed.log }, delays: { traversing: 1000 } },
      dialer: { env: { signaling: tap.signaling } },
    });
    await pair.dialer.peer.connect(pair.text).ready;
    const [offered] = tap.messages(decodeTicket(pair.text)).dialer;
    if (offered?.type !== 'offer') throw new Error('the first message was no offer');
    const { dialerKey, flight } = offered;
    expect(flight.length).toBeGreaterThan(0);
    const stranger = await strangerAt(world.rendezvous.signaling());
    expect(await answerOf(stranger, forgeOffer(pair.ticket, { message: { dialerKey, flight } }))).toMatchObject({
      type: 'answer',
    });
    await vi.waitFor(() => expect(failed.reasons.length === 1).toBe(true), PATIENCE);
    expect(pair.incoming).toHaveLength(1);
    expect(await codeOf(pair.dialer.peer.connect(pair.text).ready)).toBe('fulfilled');
  });
});
