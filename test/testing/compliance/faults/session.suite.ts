import { simIdentity, simSessions } from '../../../../src/adapters/sim/index.ts';
import { seededRandom, VirtualClock } from '../../../../src/sim/index.ts';
import { type SessionPeer, sessionCompliance } from '../../../../src/testing/compliance/index.ts';
import { forEachFault } from './fault.ts';
import { sessionFaults } from './session-faults.ts';

forEachFault(sessionFaults, (name, plant) => {
  sessionCompliance({
    name,
    async create() {
      const clock = new VirtualClock();
      const pair = { client: await createPeer('client', clock), server: await createPeer('server', clock) };
      return { ...plant(pair), clock, settle: (promise) => clock.runUntil(promise), close: async () => {} };
    },
  });
});

async function createPeer(name: string, clock: VirtualClock): Promise<SessionPeer> {
  const random = seededRandom(1).stream(name);
  const identity = simIdentity(random);
  return { factory: await simSessions(identity, { clock, random }), publicKey: identity.publicKey };
}
