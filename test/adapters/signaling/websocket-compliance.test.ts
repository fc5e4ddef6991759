import { cryptoRandom, systemClock } from '../../../src/adapters/node/index.ts';
import { websocketSignaling } from '../../../src/adapters/signaling/websocket.ts';
import type { Signaling } from '../../../src/index.ts';
import { startServer } from '../../../src/server/index.ts';
import {
  relayCompliance,
  relayOfSignaling,
  type SignalingWorld,
  signalingCompliance,
} from '../../../src/testing/compliance/index.ts';

signalingCompliance({ name: 'WebSocket', create: world });
relayCompliance({ name: 'WebSocket', create: async () => relayOfSignaling(await world()) });

async function world(): Promise<SignalingWorld> {
  let server = await startServer({ port: 0, stun: false });
  const other = await startServer({ port: 0, stun: false });
  const { url } = server;
  const clock = systemClock();
  const open = (at: string): Signaling => websocketSignaling({ url: at, clock, random: cryptoRandom() });
  return {
    clock,
    settle: (promise) => promise,
    signaling: () => open(url),
    elsewhere: async () => open(other.url),
    stop: () => server.close(),
    async start() {
      server = await startServer({ port: Number(new URL(url).port), stun: false });
    },
    async close() {
      await Promise.all([server.close(), other.close()]);
    },
  };
}
