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
  /** When a strict pacer would let the next check go. */
  let due = Number.NEGATIVE_INFINITY;
  return {
    readyAt: () => due - (burst - 1) * ta,
    take(now) {
      due = Math.max(due, now) + ta;
    },
  };
}
