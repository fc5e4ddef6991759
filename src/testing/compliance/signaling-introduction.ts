import { expect } from 'vitest';
import { filled } from './bytes.ts';
import { createRegistration, type SignalingBench, TICKET } from './signaling-world.ts';
import type { Test } from './suite.ts';

/** How a rendezvous server joins a dialer and a listener. */
export function introductionTests(test: Test<SignalingBench>): void {
  test('connects by itself and tells so', async (bench) => {
    const client = bench.open();
    await client.state('online');
    expect(client.statuses[0]).toEqual({ state: 'connecting', attempt: 1 });
    expect(client.statuses.at(-1)).toMatchObject({ state: 'online', relays: true });
  });

  test('introduces a dialer to a listener, the standing answer coming before the answer', async (bench) => {
    const identity = createRegistration([{ ticketId: TICKET, envelope: filled(70, 7) }]);
    const listener = await bench.listen(identity);
    const dialer = bench.open();
    const session = filled(16, 1);
    dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: filled(300, 2) });
    expect(await listener.next('offer')).toEqual({
      type: 'offer',
      session,
      ticketId: TICKET,
      envelope: filled(300, 2),
    });
    expect(listener.signaling.send(session, filled(200, 3))).toBe(true);
    expect(await dialer.next('envelope')).toEqual({ type: 'envelope', session, envelope: filled(200, 3) });
    expect(dialer.events[0]).toEqual({ type: 'standing', session, envelope: filled(70, 7) });
    expect(dialer.signaling.send(session, filled(100, 4))).toBe(true);
    expect(await listener.next('envelope')).toEqual({ type: 'envelope', session, envelope: filled(100, 4) });
  });

  test('serves many sessions of one pair, each envelope once and in order', async (bench) => {
    const { dialer, listener, session: first, identity } = await bench.join();
    const second = filled(16, 2);
    dialer.signaling.offer({ session: second, to: identity.key, ticketId: TICKET, envelope: filled(10, 0) });
    await listener.count('offer', 2);
    for (let i = 0; i < 100; i++) dialer.signaling.send(i % 2 === 0 ? first : second, filled(20, i));
    await listener.count('envelope', 100);
    const received = listener.events.filter((event) => event.type === 'envelope');
    expect(received.map(({ envelope }) => envelope[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(received.filter(({ session }) => session[0] === second[0])).toHaveLength(50);
  });

  test('tells the contact of a key, and that there is none', async (bench) => {
    const contact = { key: filled(32, 3), signature: filled(64, 4) };
    const identity = createRegistration();
    await bench.listen({ ...identity, contact });
    const dialer = bench.open();
    await dialer.state('online');
    const [known, unknown] = [filled(16, 1), filled(16, 2)];
    dialer.signaling.lookup({ session: known, key: identity.key });
    expect(await dialer.next('contact')).toEqual({ type: 'contact', session: known, contact });
    dialer.signaling.lookup({ session: unknown, key: filled(32, 9) });
    await dialer.count('contact', 2);
    expect(dialer.events.at(-1)).toEqual({ type: 'contact', session: unknown });
  });

  for (const how of ['close', 'leave'] as const) {
    test(`tells the other end of a ${how}`, async (bench) => {
      const { dialer, listener, session } = await bench.join();
      if (how === 'close') dialer.signaling.close();
      else dialer.signaling.leave(session);
      expect(await listener.next('unreachable')).toEqual({ type: 'unreachable', session, reason: 'gone' });
    });
  }

  test('lets no stranger read, write or end a session', async (bench) => {
    const { dialer, listener, session } = await bench.join();
    const stranger = bench.open();
    await stranger.state('online');
    stranger.signaling.send(session, filled(10, 66));
    stranger.signaling.relay(session)?.send(filled(10, 66));
    stranger.signaling.leave(session);
    stranger.signaling.send(session, filled(10, 66));
    await stranger.until((events) => events.length === 2);
    expect(stranger.events.every((event) => event.type === 'unreachable' && event.reason === 'unknown')).toBe(true);
    dialer.signaling.send(session, filled(10, 1));
    await listener.next('envelope');
    listener.signaling.send(session, filled(10, 2));
    await dialer.count('envelope', 2);
    expect(listener.events.filter(({ type }) => type === 'envelope')).toHaveLength(1);
    expect(stranger.events).toHaveLength(2);
  });

  test('can be closed before it has connected', async (bench) => {
    const client = bench.open();
    client.signaling.close();
    await client.ended;
    expect(client.statuses.map(({ state }) => state)).toEqual(['connecting']);
  });
}
