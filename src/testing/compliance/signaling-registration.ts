import { expect } from 'vitest';
import { filled } from './bytes.ts';
import { createRegistration, type SignalingBench, TICKET } from './signaling-world.ts';
import type { Test } from './suite.ts';

/** Who holds a key at a rendezvous server. */
export function registrationTests(test: Test<SignalingBench>): void {
  test('refuses a registration without the key', async (bench) => {
    const thief = bench.open();
    const { key } = createRegistration();
    thief.signaling.register({ key, sign: () => filled(64, 1), since: 0, standing: [] });
    expect(await thief.next('error')).toMatchObject({ code: 'ERR_PEER_KEY' });
  });

  test('does not let one that began to listen earlier take over from a later one', async (bench) => {
    const identity = createRegistration();
    const later = await bench.listen(identity);
    const earlier = bench.open();
    earlier.signaling.register({ ...identity, since: identity.since - 1 });
    await earlier.next('replaced');
    const dialer = bench.open();
    dialer.signaling.offer({ session: filled(16, 1), to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await later.next('offer');
    expect(later.events.filter(({ type }) => type === 'replaced')).toEqual([]);
  });

  test('tells the first of two registrations that it was replaced', async (bench) => {
    const identity = createRegistration();
    const first = await bench.listen(identity);
    const second = await bench.listen({ ...identity, since: identity.since + 1 });
    await first.next('replaced');
    const dialer = bench.open();
    dialer.signaling.offer({ session: filled(16, 1), to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await second.next('offer');
    expect(first.events.map(({ type }) => type)).toEqual(['registered', 'replaced']);
  });

  test('stands beside signalling through another server', async (bench) => {
    const identity = createRegistration();
    const here = await bench.listen(identity);
    const there = bench.watch(await bench.world.elsewhere());
    there.signaling.register(identity);
    await there.next('registered');
    await bench.world.stop();
    await here.state('offline');
    const dialer = bench.watch(await bench.world.elsewhere());
    dialer.signaling.offer({ session: filled(16, 1), to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await there.next('offer');
    expect(here.events.map(({ type }) => type)).toEqual(['registered']);
  });
}
