import type { Target } from './engine/target.ts';

/** Inputs of a target in the tests: more than a million of STUN, ICE, signalling, frames and QUIC in all, in about a minute of one core. */
export function inputsOf({ share = 1 }: Target): number {
  return Math.round(50_000 * share);
}

/** The seed of the tests. */
export const SEED = 2026;
/** ms for one target on a busy machine. */
export const TIMEOUT = 240_000;
