import { nodeNetwork, systemClock } from '../../../src/adapters/node/index.ts';
import { networkCompliance } from '../../../src/testing/compliance/index.ts';

for (const address of ['127.0.0.1', '::1']) {
  networkCompliance({
    name: `nodeNetwork on ${address}`,
    create: async () => ({
      server: nodeNetwork(),
      client: nodeNetwork(),
      address,
      clock: systemClock(),
      settle: (promise) => promise,
      async close() {},
    }),
  });
}
