import { signalingCompliance } from '../../../../src/testing/compliance/index.ts';
import { memoryWorld } from '../../../adapters/signaling/memory-world.ts';
import { forEachFault } from './fault.ts';
import { signalingFaults } from './signaling-faults.ts';

forEachFault(signalingFaults, (name, plant) => {
  signalingCompliance({ name, create: async () => plant(memoryWorld()) });
});
