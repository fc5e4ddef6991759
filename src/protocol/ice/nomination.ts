import type { CandidatePair } from './candidate-pair.ts';

/** ms that a valid pair waits for a better one which is still being checked. */
const GRACE = 200;

/** Chooses the pair that a controlling agent nominates under regular nomination (RFC 8445 section 8.1.1). */
export interface Nominator {
  /**
   * The pair to nominate now, if any, from the pairs in order. One that was chosen stays so until it is valid no more.
   */
  choose(ordered: readonly CandidatePair[], now: number): CandidatePair | undefined;
  /** Forgets the choice: the role changed. */
  reset(): void;
  nextAt(): number;
}

export function createNominator(): Nominator {
  let chosen: CandidatePair | undefined;
  let firstValidAt: number | undefined;
  return {
    choose(ordered, now) {
      if (chosen?.state === 'succeeded') return undefined;
      chosen = undefined;
      const best = ordered.findIndex(({ state }) => state === 'succeeded');
      if (best < 0) {
        firstValidAt = undefined;
        return undefined;
      }
      firstValidAt ??= now;
      const betterInSight = ordered.slice(0, best).some(({ state }) => state !== 'failed');
      if (betterInSight && now < firstValidAt + GRACE) return undefined;
      chosen = ordered[best];
      return chosen;
    },
    reset() {
      chosen = undefined;
    },
    nextAt: () =>
      firstValidAt !== undefined && chosen === undefined ? firstValidAt + GRACE : Number.POSITIVE_INFINITY,
  };
}
