import { expect } from 'vitest';
import { filled } from './bytes.ts';
import { relayOf } from './signaling-client.ts';
import { createRegistration, type SignalingBench, TICKET } from './signaling-world.ts';
import type { Test } from './suite.ts';

/** Which relayed paths `Signaling.relay` gives, and for how long. What such a path owes is for `relayCompliance`. */
export function signalingRelayTests(test: Test<SignalingBench>): void {
  test('has one path a session', async (bench) => {
    const { dialer, session } = await bench.join();
    expect(relayOf(dialer, session)).toBe(relayOf(dialer, session));
    expect(relayOf(dialer, session)).not.toBe(relayOf(dialer, filled(16, 99)));
    expect(relayOf(dialer, session).info).toMatchObject({ kind: 'relayed', remote: dialer.signaling.name });
  });

  test('passes at most 8 datagrams before the listener has answered', async (bench) => {
    const identity = createRegistration();
    const listener = await bench.listen(identity);
    const dialer = bench.open();
    const session = filled(16, 1);
    await dialer.state('online');
    dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await listener.next('offer');
    const received: Uint8Array[] = [];
    relayOf(listener, session).datagrams$.subscribe((datagram) => received.push(datagram));
    const path = relayOf(dialer, session);
    for (let i = 0; i < 20; i++) path.send(filled(10, i));
    dialer.signaling.send(session, filled(10, 2));
    await listener.next('envelope');
    expect(received.map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  for (const how of ['leave', 'close', 'gone', 'stop'] as const) {
    test(`ends a path by ${how}`, async (bench) => {
      const { dialer, listener, session } = await bench.join();
      const path = relayOf(dialer, session);
      const ended = new Promise<void>((resolve) => path.datagrams$.subscribe({ complete: resolve }));
      if (how === 'leave') dialer.signaling.leave(session);
      if (how === 'close') dialer.signaling.close();
      if (how === 'gone') listener.signaling.close();
      if (how === 'stop') await bench.world.stop();
      await ended;
      expect(path.send(filled(10, 1))).toBe(false);
    });
  }

  test('forgets a path that was closed, and gives a new one', async (bench) => {
    const { dialer, session } = await bench.join();
    const path = relayOf(dialer, session);
    path.close();
    expect(path.send(filled(10, 1))).toBe(false);
    expect(relayOf(dialer, session).send(filled(10, 1))).toBe(true);
  });
}
