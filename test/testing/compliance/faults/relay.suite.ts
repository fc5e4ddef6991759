import { relaySuite } from '../../../../src/testing/compliance/relay.ts';
import { relayOfSignaling } from '../../../../src/testing/compliance/relay-world.ts';
import { memoryWorld } from '../../../adapters/signaling/memory-world.ts';
import { faultySuite } from './fault.ts';
import { relayFaults } from './relay-faults.ts';

export const faultyRelays = faultySuite(relaySuite, relayFaults, async (plant) => {
  const world = await relayOfSignaling(memoryWorld());
  return {
    ...world,
    async connect() {
      const { a, b, leave } = await world.connect();
      return { a: plant(a), b: plant(b), leave };
    },
  };
});
