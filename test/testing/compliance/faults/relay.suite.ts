import { relayCompliance, relayOfSignaling } from '../../../../src/testing/compliance/index.ts';
import { memoryWorld } from '../../../adapters/signaling/memory-world.ts';
import { forEachFault } from './fault.ts';
import { relayFaults } from './relay-faults.ts';

forEachFault(relayFaults, (name, plant) => {
  relayCompliance({
    name,
    async create() {
      const world = await relayOfSignaling(memoryWorld());
      return {
        ...world,
        async connect() {
          const { a, b, leave } = await world.connect();
          return { a: plant(a), b: plant(b), leave };
        },
      };
    },
  });
});
