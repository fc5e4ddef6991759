import type { Random } from '../../../src/core/random.ts';

/** Seeded chance: the same seed gives the same choices. */
export interface Chance extends Random {
  /** Uniform integer in 0..`count`-1, for `count` in 1..2^32. */
  below(count: number): number;
  /** True once in `count` times. */
  oneIn(count: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** The sfc32 generator (PractRand); `seed` is any safe integer. */
export function seededChance(seed: number): Chance {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e37_79b9 | 0;
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let i = 0; i < WARM_UP; i++) next();

  const below = (count: number): number => Math.floor((next() / 2 ** 32) * count);
  return {
    below,
    oneIn: (count) => below(count) === 0,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
  };
}

/** Outputs until similar seeds have gone their own ways. */
const WARM_UP = 12;
