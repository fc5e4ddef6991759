import { type Random, randomInteger } from './random.ts';

/**
 * Waiting times that double, spread out by chance so that those who lost the same server do not all come back at once.
 */
export interface Backoff {
  /** The next delay in ms: between half and all of 0.5 s, 1 s, 2 s .. 30 s. */
  next(): number;
  /** Begins again with the shortest. */
  reset(): void;
}

export function createBackoff(random: Random): Backoff {
  let ceiling = SHORTEST;
  return {
    next() {
      const half = ceiling / 2;
      ceiling = Math.min(2 * ceiling, LONGEST);
      return half + randomInteger(random, half + 1);
    },
    reset() {
      ceiling = SHORTEST;
    },
  };
}

const SHORTEST = 500;
const LONGEST = 30_000;
