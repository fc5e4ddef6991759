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
  return new FirstValid();
}

/** The best pair that is valid when the first one has been for a while. */
class FirstValid implements Nominator {
  #chosen: CandidatePair | undefined;
  #firstValidAt: number | undefined;

  choose(ordered: readonly CandidatePair[], now: number): CandidatePair | undefined {
    if (this.#chosen?.state === 'succeeded') return undefined;
    this.#chosen = undefined;
    const best = ordered.findIndex(({ state }) => state === 'succeeded');
    if (best < 0) {
      this.#firstValidAt = undefined;
      return undefined;
    }
    this.#firstValidAt ??= now;
    const betterInSight = ordered.slice(0, best).some(({ state }) => state !== 'failed');
    if (betterInSight && now < this.#firstValidAt + GRACE) return undefined;
    this.#chosen = ordered[best];
    return this.#chosen;
  }

  reset(): void {
    this.#chosen = undefined;
  }

  nextAt(): number {
    if (this.#firstValidAt === undefined || this.#chosen !== undefined) return Number.POSITIVE_INFINITY;
    return this.#firstValidAt + GRACE;
  }
}
