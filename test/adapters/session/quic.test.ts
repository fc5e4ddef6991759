import { systemClock } from '../../../src/adapters/node/index.ts';
import { quicSessions } from '../../../src/adapters/session/quic/index.ts';
import { createIdentity } from '../../../src/node.ts';
import { type SessionPeer, sessionCompliance } from '../../../src/testing/compliance/index.ts';

async function createPeer(): Promise<SessionPeer> {
  const identity = createIdentity();
  return { factory: await quicSessions(identity), publicKey: identity.publicKey };
}

sessionCompliance({
  name: 'quicSessions',
  async create() {
    const [client, server] = [await createPeer(), await createPeer()];
    return {
      client,
      server,
      clock: systemClock(),
      settle: (promise) => promise,
      async close() {
        for (const { factory } of [client, server]) factory.close();
      },
    };
  },
});
