import { simNetwork } from '../../../../src/adapters/sim/index.ts';
import { internet } from '../../../../src/sim/index.ts';
import { networkCompliance } from '../../../../src/testing/compliance/index.ts';
import { forEachFault } from './fault.ts';
import { networkFaults } from './network-faults.ts';

forEachFault(networkFaults, (name, plant) => {
  networkCompliance({
    name,
    async create() {
      const world = internet({ seed: 1 });
      const network = plant(simNetwork(world.host('alone')));
      return {
        server: network,
        client: network,
        address: '127.0.0.1',
        clock: world.clock,
        settle: (promise) => world.clock.runUntil(promise),
        close: async () => {},
      };
    },
  });
});
