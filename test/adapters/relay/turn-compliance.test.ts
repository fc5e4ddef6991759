import { type RelayWorld, relayCompliance } from '../../../src/testing/compliance/index.ts';
import { relayedPaths } from './relayed-pairs.ts';
import { PASSWORD, turnWorld, USER } from './turn-world.ts';

const UNTOLD = {
  test: 'ends at both ends when one leaves',
  reason: 'who sends to a relayed address is not told that it was given back',
};

relayCompliance({
  name: 'turnRelay over UDP',
  create: async () => world('udp'),
  skip: [
    UNTOLD,
    {
      test: 'drops what the relay cannot take yet, and goes on when it can',
      reason: 'UDP takes everything; what is too much is lost on the way',
    },
  ],
});
relayCompliance({ name: 'turnRelay over TCP', create: async () => world('tcp'), skip: [UNTOLD] });

function world(transport: 'udp' | 'tcp'): RelayWorld {
  const { clock, server, user } = turnWorld();
  const url = `turn:${USER}:${PASSWORD}@relay?transport=${transport}`;
  const [alice, bob] = [user('alice', url), user('bob', url)];
  return {
    clock,
    settle: (promise) => clock.runUntil(promise, 3_600_000),
    transport: `turn-${transport}`,
    longest: 1_400,
    async connect() {
      const [a, b] = await relayedPaths(alice, bob);
      return { a, b, leave: () => a.close() };
    },
    cut: async () => server.stop(),
    close: async () => {},
  };
}
