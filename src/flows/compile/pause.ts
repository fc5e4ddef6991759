export interface Pauses {
  /** ms. */
  readonly backoff: number;
  /** ms. */
  readonly longest: number;
  /** 0..1. */
  readonly jitter: number;
}

/**
 * ms between the `tries`-th try, which failed, and the next: `backoff` doubled each time, up to `longest`, and of that between half and
 * all. One number of chance serves all pauses of a run: each takes another place in the spread.
 */
export function pauseAfter(tries: number, { backoff, longest, jitter }: Pauses): number {
  const pause = Math.min(longest, backoff * 2 ** (tries - 1));
  const place = (jitter + tries * GOLDEN_RATIO) % 1;
  return Math.round(pause * (0.5 + place / 2));
}

/** Its multiples, modulo 1, lie as far from each other as they can. */
const GOLDEN_RATIO = 0.618_033_988_75;
