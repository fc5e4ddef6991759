/** How long to wait for an acknowledgement (RFC 6298). Times in ms. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;
  #backoff = 1;

  /** The retransmission timeout, 200..60,000. */
  get timeout(): number {
    const base = this.#smoothed === undefined ? INITIAL : this.#smoothed + Math.max(1, 4 * this.#variation);
    return Math.min(LONGEST, Math.max(SHORTEST, base) * this.#backoff);
  }

  /** A segment that was sent once was acknowledged after `sample` ms (Karn's algorithm, RFC 6298 section 3). */
  measured(sample: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = sample;
      this.#variation = sample / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - sample);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * sample;
    }
  }

  /** The timer ran out: the next time is twice as long. */
  backOff(): void {
    this.#backoff = Math.min(2 * this.#backoff, 512);
  }

  /** Something new was acknowledged. */
  recovered(): void {
    this.#backoff = 1;
  }
}

/** ms. RFC 6298 wants at least 1000; systems take 200, as Linux does. */
const SHORTEST = 200;
const INITIAL = 1_000;
const LONGEST = 60_000;
