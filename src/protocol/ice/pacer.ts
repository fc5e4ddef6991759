/** Keeps new checks Ta apart (RFC 8445 section 14.2). */
export interface Pacer {
  /** The time from which the next check may leave. */
  readyAt(): number;
  /** A check leaves now. */
  take(now: number): void;
}

/**
 * `ta` in ms; up to `burst` checks may leave at once after a pause of `burst` x `ta`, so the rate over time stays
 * 1/`ta`.
 */
export function createPacer(ta: number, burst: number): Pacer {
  return new Metronome(ta, burst);
}

class Metronome implements Pacer {
  readonly #ta: number;
  readonly #burst: number;
  /** When a strict pacer would let the next check go. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(ta: number, burst: number) {
    this.#ta = ta;
    this.#burst = burst;
  }

  readyAt(): number {
    return this.#due - (this.#burst - 1) * this.#ta;
  }

  take(now: number): void {
    this.#due = Math.max(this.#due, now) + this.#ta;
  }
}
