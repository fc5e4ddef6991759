import { carryingTests } from './relay-carrying.ts';
import { endingTests } from './relay-ending.ts';
import { RelayBench, type RelayWorld } from './relay-world.ts';
import { type Compliance, comply } from './suite.ts';

/** What every relayed `Path` owes its users, whatever carries its datagrams. */
export function relayCompliance(options: Compliance<RelayWorld>): void {
  comply({ contract: 'a relay', bench: RelayBench, groups: { carrying: carryingTests, ending: endingTests } }, options);
}
