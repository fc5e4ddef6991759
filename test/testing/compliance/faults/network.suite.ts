import { simNetwork } from '../../../../src/adapters/sim/index.ts';
import { internet } from '../../../../src/sim/index.ts';
import { networkSuite } from '../../../../src/testing/compliance/network.ts';
import { faultySuite } from './fault.ts';
import { networkFaults } from './network-faults.ts';

export const faultyNetworks = faultySuite(networkSuite, networkFaults, async (plant) => {
  const world = internet({ seed: 1 });
  const { clock } = world;
  const network = plant(simNetwork(world.host('alone')));
  return {
    server: network,
    client: network,
    address: '127.0.0.1',
    clock,
    settle: (promise) => clock.runUntil(promise),
    close: async () => {},
  };
});
