import { natPmp } from '../../../../src/adapters/port-mapper/nat-pmp.ts';
import { portMapperSuite } from '../../../../src/testing/compliance/port-mapper.ts';
import { udpWorld } from '../../../adapters/port-mapper/compliance-worlds.ts';
import { faultySuite } from './fault.ts';
import { portMapperFaults } from './port-mapper-faults.ts';

export const faultyPortMappers = faultySuite(portMapperSuite, portMapperFaults, async (plant) => {
  const world = await udpWorld('nat-pmp', natPmp(), '127.68.88.1');
  return { ...world, open: async () => plant(await world.open()) };
});
