import { carryingTests } from './relay-carrying.ts';
import { endingTests } from './relay-ending.ts';
import { RelayBench, type RelayWorld } from './relay-world.ts';
import { type Compliance, comply, type Suite } from './suite.ts';

/** What every relayed `Path` owes its users, whatever carries its datagrams. */
export function relayCompliance(options: Compliance<RelayWorld>): void {
  comply(relaySuite, options);
}

export const relaySuite: Suite<RelayWorld, RelayBench> = {
  contract: 'a relay',
  bench: RelayBench,
  groups: { carrying: carryingTests, ending: endingTests },
};
