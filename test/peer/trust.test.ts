import { firstValueFrom, type Observable, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/random.ts';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import type { SignalingEvent } from '../../src/core/signaling.ts';
import { createEnvelopeChannel, decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { tappedSignaling } from './tapped-signaling.ts';
import { codeOf, createWorld, type World } from './world.ts';

/** Claims the identity of somebody, with sessions that prove another key. */
const impostor = { env: { sessions: () => quicSessions(createIdentity()) } };

/** Two peers that are connected, and the offer that the dialer made. */
async function overheardPair(world: World) {
  const tap = tappedSignaling(() => world.rendezvous.signaling());
  const listener = await world.inhabitant();
  const dialer = await world.inhabitant({ env: { signaling: tap.signaling } });
  let surfaced = 0;
  listener.peer.incoming$.subscribe(() => surfaced++);
  const ticket = await listener.peer.createTicket();
  const here = dialer.peer.connect(ticket);
  await here.ready;
  return { ticket, here, listener, offer: tap.offers[0]!, surfaced: () => surfaced };
}

const nextEvents = (events$: Observable<SignalingEvent>, count: number): Promise<SignalingEvent[]> =>
  firstValueFrom(events$.pipe(take(count), toArray()));

describe('another key', () => {
  it('behind the ticket is refused by the dialer', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant(impostor);
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_KEY');
    expect(await connection.verdict).toMatchObject({ outcome: 'failed', code: 'ERR_PEER_KEY' });
  });

  it('than the one that a dialer claims is never let in', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const incoming = firstValueFrom(listener.peer.incoming$);
    const dialer = await world.inhabitant(impostor);
    const ticket = await listener.peer.createTicket({ once: true });
    await dialer.peer.connect(ticket).verdict;
    const honest = await world.inhabitant();
    await honest.peer.connect(ticket).ready;
    expect((await incoming).remoteKey).toEqual(honest.peer.key);
  });
});

describe('a replayed offer', () => {
  it('is none of a stranger’s business while the connection stands', async () => {
    await using world = createWorld();
    const { offer, surfaced, here } = await overheardPair(world);
    const stranger = world.rendezvous.signaling();
    const answer = nextEvents(stranger.events$, 1);
    stranger.offer(offer);
    expect(await answer).toMatchObject([{ type: 'error', code: 'ERR_SERVER_REFUSED' }]);
    expect(surfaced()).toBe(1);
    await here.openStream();
  });

  it('gives no second connection after the first has ended', async () => {
    await using world = createWorld();
    const { offer, surfaced, here, ticket } = await overheardPair(world);
    await here.close();
    const stranger = world.rendezvous.signaling();
    const answers = nextEvents(stranger.events$, 3);
    stranger.offer(offer);
    const [standing, rejection, end] = await answers;
    expect(standing?.type).toBe('standing');
    expect(end).toMatchObject({ type: 'unreachable', reason: 'gone' });
    const { secret, key: listenerKey } = decodeTicket(ticket);
    const { session } = offer;
    const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random: cryptoRandom() });
    if (rejection?.type !== 'envelope') throw new Error(`${rejection?.type} where an envelope was due`);
    expect(channel.open(rejection.envelope)).toMatchObject({ type: 'reject', code: 'ERR_OFFER_REJECTED' });
    expect(surfaced()).toBe(1);
  });

  it('is not even answered under another session id', async () => {
    await using world = createWorld();
    const { offer, surfaced, here } = await overheardPair(world);
    const stranger = world.rendezvous.signaling();
    const answers = nextEvents(stranger.events$, 2);
    stranger.offer({ ...offer, session: cryptoRandom().bytes(16) });
    stranger.offer({ ...offer, session: cryptoRandom().bytes(16), ticketId: cryptoRandom().bytes(16) });
    expect((await answers).map(({ type }) => type)).toEqual(['standing', 'unreachable']);
    expect(surfaced()).toBe(1);
    await here.openStream();
  });
});
