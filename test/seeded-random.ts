import type { Random } from '../src/core/random.ts';

/** The same chance in every run: xorshift32 (G. Marsaglia, 2003). */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return { bytes: (length) => Uint8Array.from({ length }, () => next() >>> 11) };
}
