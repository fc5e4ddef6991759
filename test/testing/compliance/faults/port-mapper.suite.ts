import { natPmp } from '../../../../src/adapters/port-mapper/nat-pmp.ts';
import { portMapperCompliance } from '../../../../src/testing/compliance/index.ts';
import { udpWorld } from '../../../adapters/port-mapper/compliance-worlds.ts';
import { forEachFault } from './fault.ts';
import { portMapperFaults } from './port-mapper-faults.ts';

forEachFault(portMapperFaults, (name, plant) => {
  portMapperCompliance({
    name,
    async create() {
      const world = await udpWorld('nat-pmp', natPmp(), '127.68.88.1');
      return { ...world, open: async () => plant(await world.open()) };
    },
  });
});
