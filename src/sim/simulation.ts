import { HostNames } from './host-names.ts';
import { PacketLog } from './packet-log.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What all parts of one simulated world share. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly log: PacketLog;
  readonly names: HostNames;
}

export function simulation(seed: number | string): Simulation {
  const clock = new VirtualClock();
  return { clock, random: seededRandom(seed), log: new PacketLog(clock), names: new HostNames() };
}
