import { abortingTests } from './port-mapper-aborting.ts';
import { keepingTests } from './port-mapper-keeping.ts';
import { makingTests } from './port-mapper-making.ts';
import { refusingTests } from './port-mapper-refusing.ts';
import { PortMapperBench, type PortMapperWorld } from './port-mapper-world.ts';
import { type Compliance, comply, type Suite } from './suite.ts';

/** What every `PortMapper` owes its users, whatever it speaks and whatever gateway it has. The gateway's table is empty at first. */
export function portMapperCompliance(options: Compliance<PortMapperWorld>): void {
  comply(portMapperSuite, options);
}

export const portMapperSuite: Suite<PortMapperWorld, PortMapperBench> = {
  contract: 'a port mapper',
  bench: PortMapperBench,
  groups: {
    making: makingTests,
    'keeping and releasing': keepingTests,
    aborting: abortingTests,
    refusing: refusingTests,
  },
};
