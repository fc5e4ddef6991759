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
export function pauseAfter(tries: number, { jitter, ...pauses }: Pauses): number {
  const { least, most } = pauseSpread(tries, pauses);
  const place = (jitter + tries * GOLDEN_RATIO) % 1;
  return Math.round(least + (most - least) * place);
}

/** ms that the pause after the `tries`-th try lasts at least and at most. */
export function pauseSpread(tries: number, { backoff, longest }: Omit<Pauses, 'jitter'>): PauseSpread {
  const most = Math.min(longest, backoff * 2 ** (tries - 1));
  return { least: most / 2, most };
}

export interface PauseSpread {
  readonly least: number;
  readonly most: number;
}

/** Its multiples, modulo 1, lie as far from each other as they can. */
const GOLDEN_RATIO = 0.618_033_988_75;
