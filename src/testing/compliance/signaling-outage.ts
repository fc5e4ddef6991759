import { expect } from 'vitest';
import { filled } from './bytes.ts';
import { createRegistration, type SignalingBench, TICKET } from './signaling-world.ts';
import type { Test } from './suite.ts';

/** What signalling does while its server is gone, and when it is back. */
export function outageTests(test: Test<SignalingBench>): void {
  test('says so, takes no envelope, and comes back with its registration', async (bench) => {
    const identity = createRegistration([{ ticketId: TICKET, envelope: filled(70, 7) }]);
    const listener = await bench.listen(identity);
    const session = filled(16, 1);
    await bench.world.stop();
    await listener.state('offline');
    expect(listener.statuses.at(-1)).toMatchObject({ state: 'offline', code: 'ERR_SERVER_UNREACHABLE' });
    expect(listener.signaling.send(session, filled(10, 1))).toBe(false);
    expect(listener.signaling.relay(session)).toBeUndefined();
    await bench.world.start();
    await listener.count('registered', 2);
    const dialer = bench.open();
    dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await dialer.next('standing');
    await listener.next('offer');
  });

  test('sends offers made meanwhile as soon as it is back, and goes on with the session', async (bench) => {
    const { dialer, listener, session, identity } = await bench.join();
    await bench.world.stop();
    await Promise.all([dialer.state('offline'), listener.state('offline')]);
    await bench.world.start();
    await listener.count('registered', 2);
    dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: filled(10, 8) });
    await listener.count('offer', 2);
    listener.signaling.send(session, filled(10, 9));
    await dialer.count('envelope', 2);
  });

  test('stays away when it had been replaced', async (bench) => {
    const identity = createRegistration();
    const first = await bench.listen(identity);
    const second = await bench.listen({ ...identity, since: identity.since + 1 });
    await first.next('replaced');
    await bench.world.stop();
    await Promise.all([first.state('offline'), second.state('offline')]);
    await bench.world.start();
    await Promise.all([first.state('online'), second.state('online')]);
    await second.count('registered', 2);
    const dialer = bench.open();
    dialer.signaling.offer({ session: filled(16, 1), to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await second.next('offer');
    expect(first.events.map(({ type }) => type)).toEqual(['registered', 'replaced']);
  });
}
