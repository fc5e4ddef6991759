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
  return new TimedPhase(length);
}

class TimedPhase implements CheckingPhase {
  readonly #length: number;
  #state: 'ahead' | 'open' | 'valid' | 'exhausted' = 'ahead';
  #until = Number.POSITIVE_INFINITY;

  constructor(length: number) {
    this.#length = length;
  }

  extend(now: number): void {
    if (this.#state === 'valid') return;
    this.#state = 'open';
    this.#until = now + this.#length;
  }

  begin(now: number): void {
    if (this.#state === 'ahead') this.extend(now);
  }

  succeed(): void {
    this.#state = 'valid';
  }

  isOpen(now: number): boolean {
    return this.#state === 'open' && now < this.#until;
  }

  conclude(allFailed: boolean, now: number): 'all-failed' | 'timeout' | undefined {
    if (this.#state === 'valid' || this.#state === 'exhausted') return undefined;
    if (!allFailed && now < this.#until) return undefined;
    this.#state = 'exhausted';
    return allFailed ? 'all-failed' : 'timeout';
  }

  nextAt(): number {
    return this.#state === 'open' ? this.#until : Number.POSITIVE_INFINITY;
  }
}
