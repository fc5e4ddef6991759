import { systemClock } from '../../../src/adapters/node/clock.ts';
import { createIdentity } from '../../../src/adapters/node/identity.ts';
import { quicSessions } from '../../../src/adapters/session/quic/index.ts';
import { sessionCompliance } from '../../../src/testing/compliance/session.ts';
import type { SessionPeer } from '../../../src/testing/compliance/session-link.ts';

async function createPeer(): Promise<SessionPeer> {
  const identity = createIdentity();
  return { factory: await quicSessions(identity), publicKey: identity.publicKey };
}

sessionCompliance({
  name: 'quicSessions',
  clock: systemClock(),
  createPair: async () => ({ client: await createPeer(), server: await createPeer() }),
});
