import { type SeededRandom, seededRandom } from '../../seeded-random.ts';

/** Seeded chance: the same seed gives the same choices. */
export interface Chance extends SeededRandom {
  /** Uniform integer in 0..`count`-1, for `count` in 1..2^32. */
  below(count: number): number;
  /** True once in `count` times. */
  oneIn(count: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** `seed` is any safe integer. */
export function seededChance(seed: number): Chance {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor((random.next() / 2 ** 32) * count);
  return { ...random, below, oneIn: (count) => below(count) === 0, pick: (items) => items[below(items.length)]! };
}
