import { createHash } from 'node:crypto';
import type { Random } from '../src/core/random.ts';

/** The same chance in every run with the same seed. */
export interface SeededRandom extends Random {
  /** Uniform integer in 0..2^32-1. */
  next(): number;
}

/** The sfc32 generator (PractRand); `seed` is any safe integer, or a text. */
export function seededRandom(seed: number | string): SeededRandom {
  const number = typeof seed === 'number' ? seed : createHash('sha256').update(seed).digest().readUIntBE(0, 6);
  let a = number | 0;
  let b = Math.floor(number / 2 ** 32) | 0;
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
  return { next, bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24) };
}

/** Outputs until similar seeds have gone their own ways. */
const WARM_UP = 12;
