import { PacketLog } from './packet-log.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What all parts of one simulated world share. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly log: PacketLog;
  /** The names that every host can resolve, and what gives their present addresses. */
  readonly names: Map<string, () => readonly string[]>;
}

export function simulation(seed: number | string): Simulation {
  const clock = new VirtualClock();
  return { clock, random: seededRandom(seed), log: new PacketLog(clock), names: new Map() };
}
