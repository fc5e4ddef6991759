import { createHash } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** Chance that is the same in every run, with integers only. */
export interface SeededRandom extends Random {
  /** Uniform in 0..2^32-1. */
  uint32(): number;
  /** Uniform in 0..`limit`-1, for `limit` in 1..2^32. */
  below(limit: number): number;
  /**
   * An independent source by name, the same for the same seed and name whatever was drawn elsewhere: so whoever comes to a
   * simulation does not change the chance of the others.
   */
  stream(name: string): SeededRandom;
}

export function seededRandom(seed: number | string): SeededRandom {
  return new Stream(lengthFirst(String(seed)));
}

/** xoshiro128** (D. Blackman, S. Vigna 2018): what gives the next word of 32 bits. `state`: four words, not all 0; is changed. */
export function xoshiro128(state: Uint32Array): () => number {
  return () => {
    const [s0, s1, s2, s3] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const mixed = s3 ^ s1;
    state[0] = s0 ^ mixed;
    state[1] = s1 ^ s2 ^ s0;
    state[2] = s2 ^ s0 ^ (s1 << 9);
    state[3] = rotateLeft(mixed, 11);
    return Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
  };
}

/** A generator whose first state is a hash of the seed. */
class Stream implements SeededRandom {
  readonly uint32: () => number;
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
    const digest = createHash('sha256').update(seed).digest();
    this.uint32 = xoshiro128(Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32LE(4 * i)));
  }

  below(limit: number): number {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.uint32();
      if (value < fair) return value % limit;
    }
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.uint32();
      for (let j = i; j < i + 4 && j < length; j++) bytes[j] = word >>> (8 * (j - i));
    }
    return bytes;
  }

  stream(name: string): SeededRandom {
    return new Stream(this.#seed + lengthFirst(name));
  }
}

/** With its length before it, so that no two rows of names run together to the same seed. */
function lengthFirst(name: string): string {
  return `${name.length}:${name}`;
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
