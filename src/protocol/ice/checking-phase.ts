/** How long pairs that failed are tried again, and when there is nothing left to try. */
export interface CheckingPhase {
  /** A candidate brought new pairs: the time begins, or begins anew. */
  extend(now: number): void;
  /** A check brought a pair: the time begins, unless it has begun before. */
  begin(now: number): void;
  /** A pair is valid: failed ones are not tried again, and nothing is exhausted any more. */
  succeed(): void;
  /** Whether a pair that fails now takes its turn again. */
  isOpen(now: number): boolean;
  /** That the checks are exhausted, told once, and again after candidates that came later. */
  conclude(allFailed: boolean, now: number): 'all-failed' | 'timeout' | undefined;
  nextAt(): number;
}

/** `length` in ms. */
export function createCheckingPhase(length: number): CheckingPhase {
  let state: 'ahead' | 'open' | 'valid' | 'exhausted' = 'ahead';
  let until = Number.POSITIVE_INFINITY;

  return {
    extend(now) {
      if (state === 'valid') return;
      state = 'open';
      until = now + length;
    },
    begin(now) {
      if (state === 'ahead') this.extend(now);
    },
    succeed() {
      state = 'valid';
    },
    isOpen: (now) => state === 'open' && now < until,
    conclude(allFailed, now) {
      if (state === 'valid' || state === 'exhausted') return undefined;
      if (!allFailed && now < until) return undefined;
      state = 'exhausted';
      return allFailed ? 'all-failed' : 'timeout';
    },
    nextAt: () => (state === 'open' ? until : Number.POSITIVE_INFINITY),
  };
}
