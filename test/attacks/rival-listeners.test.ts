import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { memoryRendezvous } from '../../src/adapters/signaling/memory.ts';
import { codeOf, createWorld } from '../peer/world.ts';
import { strangerAt } from './offer-forgery.ts';
import { siege } from './siege.ts';
import { connected, EXCHANGED, exchange, victims } from './victims.ts';

describe.concurrent('a second listener with the key of the first', () => {
  it('takes the server’s introductions over, and neither tickets nor sessions of the first', async () => {
    await using world = createWorld();
    const identity = createIdentity();
    const first = await connected(world, { listener: { identity } });
    const second = await victims(world, { listener: { identity } });
    // The first one's ticket leads to the second, which does not know it.
    const lost = first.dialer.peer.connect(first.text);
    expect(await codeOf(lost.ready)).toBe('ERR_TICKET_REJECTED');
    await first.dialer.peer.connect(second.text).ready;
    await vi.waitFor(() => expect(second.incoming).toHaveLength(1));
    expect(first.incoming).toHaveLength(1);
    expect(await exchange(first)).toEqual(EXCHANGED);
    expect(await codeOf(first.listener.peer.createTicket())).toBe('ERR_REGISTRATION_REPLACED');
  });

  it('at another server is another listener: a ticket leads to the one that made it, or to nobody', async () => {
    await using world = createWorld();
    const identity = createIdentity();
    const elsewhere = memoryRendezvous({ clock: systemClock(), random: cryptoRandom() });
    const env = (url: string) => (new URL(url).hostname === 'memory' ? world.rendezvous : elsewhere).signaling();
    const first = await victims(world, { listener: { identity, env: { signaling: env } } });
    const second = await victims(world, {
      listener: { identity, env: { signaling: env, servers: ['ws://elsewhere'] } },
    });
    const dialer = await world.inhabitant({ env: { signaling: env } });
    for (const [mine, other] of [[first, second] as const, [second, first] as const]) {
      await dialer.peer.connect(mine.text).ready;
      await vi.waitFor(() => expect(mine.incoming).toHaveLength(1));
      // At the other's server the same key listens, and knows nothing of the ticket.
      const misled = dialer.peer.connect(mine.text, { servers: other.ticket.servers });
      expect(await codeOf(misled.ready)).toBe('ERR_TICKET_REJECTED');
    }
    expect([first.incoming.length, second.incoming.length]).toEqual([1, 1]);
  });

  it('cannot be made by who only knows the key', async () => {
    await using world = createWorld();
    const { listener, dialer, text, ticket, incoming } = await victims(world);
    const rival = createIdentity();
    const stranger = await strangerAt(world.rendezvous.signaling());
    const answer = firstValueFrom(stranger.events$);
    stranger.register({ key: ticket.key, sign: rival.sign, since: Date.now(), standing: [] });
    expect(await answer).toMatchObject({ type: 'error', code: 'ERR_PEER_KEY' });
    expect(world.rendezvous.counters().registrations).toBe(1);
    await dialer.peer.connect(text).ready;
    await vi.waitFor(() => expect(incoming).toHaveLength(1));
    await listener.peer.createTicket();
  });

  it('who is let in by a careless server still cannot answer for the first', async () => {
    await using world = createWorld();
    const { dropped, attacker, options } = siege();
    const pair = await victims(world, options);
    const thief = await strangerAt(attacker.signaling('thief'));
    const offers: Uint8Array[] = [];
    thief.events$.subscribe((event) => {
      if (event.type === 'offer') offers.push(event.session);
    });
    attacker.meddle = (crossing) => {
      if (crossing.direction === 'up' || crossing.control?.type !== 'offer') return undefined;
      void attacker.tell('thief', crossing.frame);
      // The thief says what it can: the offer itself, and nonsense of the right length.
      const { session, envelope } = crossing.control;
      void attacker.tell('dialer', { type: 'envelope', session, envelope });
      void attacker.tell('dialer', { type: 'envelope', session, envelope: cryptoRandom().bytes(400) });
      return [];
    };
    expect(await codeOf(pair.dialer.peer.connect(pair.text, { timeout: 700 }).ready)).toBe('ERR_TIMEOUT');
    expect(offers).toHaveLength(1);
    expect(dropped).toHaveLength(2);
    expect(pair.incoming).toEqual([]);
  });
});
