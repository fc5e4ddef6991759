import { simIdentity, simSessions } from '../../../../src/adapters/sim/index.ts';
import { seededRandom, VirtualClock } from '../../../../src/sim/index.ts';
import { sessionSuite } from '../../../../src/testing/compliance/session.ts';
import type { SessionPeer } from '../../../../src/testing/compliance/session-link.ts';
import { faultySuite } from './fault.ts';
import { sessionFaults } from './session-faults.ts';

export const faultySessions = faultySuite(sessionSuite, sessionFaults, async (plant) => {
  const clock = new VirtualClock();
  return plant({
    client: await createPeer('client', clock),
    server: await createPeer('server', clock),
    clock,
    settle: (promise) => clock.runUntil(promise),
    close: async () => {},
  });
});

async function createPeer(name: string, clock: VirtualClock): Promise<SessionPeer> {
  const random = seededRandom(1).stream(name);
  const identity = simIdentity(random);
  return { factory: await simSessions(identity, { clock, random }), publicKey: identity.publicKey };
}
