import { simIdentity, simSessions } from '../../../src/adapters/sim/index.ts';
import { seededRandom, VirtualClock } from '../../../src/sim/index.ts';
import { type SessionPeer, sessionCompliance } from '../../../src/testing/compliance/index.ts';

sessionCompliance({
  name: 'simSessions',
  async create() {
    const clock = new VirtualClock();
    const peer = async (name: string): Promise<SessionPeer> => {
      const random = seededRandom(1).stream(name);
      const identity = simIdentity(random);
      return { factory: await simSessions(identity, { clock, random }), publicKey: identity.publicKey };
    };
    const [client, server] = [await peer('client'), await peer('server')];
    return { client, server, clock, settle: (promise) => clock.runUntil(promise), close: async () => {} };
  },
});
