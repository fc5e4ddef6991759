import { describe, expect, it, vi } from 'vitest';
import { codeOf, createWorld, type Inhabitant, type World } from '../peer/world.ts';
import { answerOf, forgeOffer, strangerAt } from './offer-forgery.ts';
import { EXCHANGED, exchange, impostorSessions, victims } from './victims.ts';

const PATIENCE = { timeout: 8000 };

const crowd = (world: World, size: number): Promise<Inhabitant[]> =>
  Promise.all(Array.from({ length: size }, () => world.inhabitant()));

describe.concurrent('a ticket for one connection, used again', () => {
  it('after the first is refused, whether that stands or has ended', async () => {
    await using world = createWorld();
    const pair = await victims(world, { ticket: { once: true } });
    const [thief] = await crowd(world, 1);
    const first = pair.dialer.peer.connect(pair.text);
    await first.ready;
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(1));
    expect(await codeOf(thief!.peer.connect(pair.text).ready)).toBe('ERR_TICKET_REJECTED');
    expect(await exchange({ here: first, there: pair.incoming[0]! })).toEqual(EXCHANGED);
    await first.close();
    for (const { peer } of [thief!, pair.dialer]) {
      expect(await codeOf(peer.connect(pair.text).ready)).toBe('ERR_TICKET_REJECTED');
    }
    expect(pair.incoming).toHaveLength(1);
  });

  it('by 20 dialers at once lets exactly one of them in', async () => {
    await using world = createWorld({ latency: 2 });
    const pair = await victims(world, { ticket: { once: true } });
    const dialers = await crowd(world, 20);
    const dialed = dialers.map(({ peer }) => peer.connect(pair.text));
    const codes = await Promise.all(dialed.map(({ ready }) => codeOf(ready)));
    expect(codes.filter((code) => code === 'fulfilled')).toHaveLength(1);
    expect(codes.filter((code) => code === 'ERR_TICKET_REJECTED')).toHaveLength(19);
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(1));
    const here = dialed[codes.indexOf('fulfilled')]!;
    expect(pair.incoming[0]!.id).toBe(here.id);
    expect(await exchange({ here, there: pair.incoming[0]! })).toEqual(EXCHANGED);
  });

  it('by an impostor first is there for its true holder afterwards', async () => {
    await using world = createWorld();
    const pair = await victims(world, { ticket: { once: true }, dialer: { env: { sessions: impostorSessions } } });
    await pair.dialer.peer.connect(pair.text).verdict;
    const [holder] = await crowd(world, 1);
    const here = holder!.peer.connect(pair.text);
    await here.ready;
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(1), PATIENCE);
    expect(pair.incoming[0]!.remoteKey).toEqual(holder!.peer.key);
  });

  it('by one who offers and leaves 20 times is there for its true holder afterwards', async () => {
    await using world = createWorld();
    const pair = await victims(world, { ticket: { once: true } });
    const stranger = await strangerAt(world.rendezvous.signaling());
    for (let i = 0; i < 20; i++) {
      const { offer } = forgeOffer(pair.ticket);
      stranger.offer(offer);
      stranger.leave(offer.session);
    }
    const here = pair.dialer.peer.connect(pair.text);
    await here.ready;
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(1), PATIENCE);
    expect(await answerOf(stranger, forgeOffer(pair.ticket))).toMatchObject({
      type: 'reject',
      code: 'ERR_TICKET_REJECTED',
    });
  });
});
