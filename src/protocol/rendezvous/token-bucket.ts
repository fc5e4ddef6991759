/** A rate with a burst: `take` spends, time refills. */
export interface TokenBucket {
  /** False, and nothing is spent, when fewer than `amount` are left. `now` in ms. */
  take(amount: number, now: number): boolean;
}

/** `rate` tokens a second, at most `burst` saved up; full at the start. */
export function createTokenBucket({ rate, burst }: Rate, now: number): TokenBucket {
  let tokens = burst;
  let filledAt = now;
  return {
    take(amount, now) {
      tokens = Math.min(burst, tokens + ((now - filledAt) * rate) / 1_000);
      filledAt = now;
      if (tokens < amount) return false;
      tokens -= amount;
      return true;
    },
  };
}

export interface Rate {
  readonly rate: number;
  readonly burst: number;
}
