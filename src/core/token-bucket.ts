/** A rate with a burst: `take` spends, time refills. `now` in ms, never going back. */
export interface TokenBucket {
  has(amount: number, now: number): boolean;
  /** False, and nothing is spent, when fewer than `amount` are left. */
  take(amount: number, now: number): boolean;
}

/** Tokens a second, and how many can be saved up. */
export interface Rate {
  readonly rate: number;
  readonly burst: number;
}

/** Full at the start. What it spends is spent of `shared` too, or neither is. */
export function createTokenBucket(rate: Rate, now: number, shared?: TokenBucket): TokenBucket {
  return new Bucket(rate, now, shared);
}

/** A class, since a server has hundreds of thousands: a quarter of what closures take. */
class Bucket implements TokenBucket {
  readonly #rate: Rate;
  readonly #shared: TokenBucket | undefined;
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, now: number, shared: TokenBucket | undefined) {
    this.#rate = rate;
    this.#shared = shared;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  has(amount: number, now: number): boolean {
    const { rate, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * rate) / 1_000);
    this.#filledAt = now;
    return this.#tokens >= amount;
  }

  take(amount: number, now: number): boolean {
    if (!this.has(amount, now) || this.#shared?.take(amount, now) === false) return false;
    this.#tokens -= amount;
    return true;
  }
}
