import { randomBytes } from 'node:crypto';
import type { Random } from '../../core/random.ts';

/** Chance from the system's cryptographic generator. */
export function cryptoRandom(): Random {
  return { bytes: (length) => randomBytes(length) };
}
