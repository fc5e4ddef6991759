import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { cryptoRandom } from '../../../src/adapters/node/random.ts';
import { memoryRendezvous } from '../../../src/adapters/signaling/memory.ts';
import type { SignalingEvent } from '../../../src/core/signaling.ts';
import { relayCompliance, relayOfSignaling, signalingCompliance } from '../../../src/testing/compliance/index.ts';
import { manualClock } from '../../manual-clock.ts';
import { filled, testIdentity } from '../../protocol/rendezvous/support.ts';
import { seededRandom } from '../../seeded-random.ts';
import { memoryWorld } from './memory-world.ts';

for (const [name, create] of [
  ['memory', () => memoryWorld({ clock: systemClock(), random: cryptoRandom(), settle: (promise) => promise })],
  ['memory, in virtual time', () => memoryWorld()],
] as const) {
  signalingCompliance({ name, create: async () => create() });
  relayCompliance({ name, create: async () => relayOfSignaling(create()) });
}

describe('memory rendezvous', () => {
  const session = filled(16, 1);

  /** What happened when, in a run of an offer, its answer and a datagram. */
  function run(latency: number): string[] {
    const clock = manualClock();
    const rendezvous = memoryRendezvous({ clock, random: seededRandom('memory'), latency, stun: ['192.0.2.1:3478'] });
    const identity = testIdentity();
    const [dialer, listener] = [rendezvous.signaling(), rendezvous.signaling()];
    const trace: string[] = [];
    const tell = (who: string) => (event: SignalingEvent) => trace.push(`${clock.now()} ${who} ${event.type}`);
    dialer.events$.subscribe(tell('dialer'));
    listener.events$.subscribe(tell('listener'));
    listener.register({ ...identity, standing: [{ ticketId: filled(16, 2), envelope: filled(9, 3) }] });
    clock.advance(1_000);
    dialer.offer({ session, to: identity.key, ticketId: filled(16, 2), envelope: filled(9, 4) });
    clock.advance(1_000);
    listener.relay(session)?.datagrams$.subscribe(() => trace.push(`${clock.now()} listener datagram`));
    listener.send(session, filled(9, 5));
    dialer.relay(session)?.send(filled(1200, 6));
    clock.advance(1_000);
    dialer.close();
    clock.advance(1_000);
    return trace;
  }

  it('takes its latency for each way to and from the server', () => {
    expect(run(40)).toEqual([
      '160 listener registered',
      '1080 dialer standing',
      '1080 listener offer',
      '2080 dialer envelope',
      '2080 listener datagram',
      '3080 listener unreachable',
    ]);
  });

  it('keeps the order without latency', () => {
    expect(run(0).map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'listener registered',
      'dialer standing',
      'listener offer',
      'dialer envelope',
      'listener datagram',
      'listener unreachable',
    ]);
  });

  it('loses what is under way when it stops', () => {
    const clock = manualClock();
    const rendezvous = memoryRendezvous({ clock, random: seededRandom('memory'), latency: 40 });
    const identity = testIdentity();
    const listener = rendezvous.signaling();
    const states: string[] = [];
    listener.status$.subscribe(({ state }) => states.push(`${clock.now()} ${state}`));
    listener.register({ ...identity, standing: [] });
    clock.advance(100);
    rendezvous.stop();
    clock.advance(100);
    expect(rendezvous.counters().registrations).toBe(0);
    rendezvous.start();
    clock.advance(100);
    expect(rendezvous.counters()).toMatchObject({ clients: 1, registrations: 0 });
    clock.advance(100);
    expect(rendezvous.counters()).toMatchObject({ clients: 1, registrations: 1 });
    expect(states).toEqual(['0 connecting', '80 online', '100 offline', '200 connecting', '280 online']);
  });
});
