/** How long a packet and its acknowledgement take (RFC 9002 section 5). Times in ms. */
export class RoundTrip {
  #measured = false;
  #smoothed = 0;
  #variation = 0;
  #shortest = 0;
  #latest = 0;

  /** 0 while nothing was measured. */
  get smoothed(): number {
    return this.#smoothed;
  }

  /** How long after it was sent a packet is lost for sure, when a later one has arrived (RFC 9002 section 6.1.2). */
  get lossDelay(): number {
    return Math.max(GRANULARITY, (9 / 8) * Math.max(this.#smoothed, this.#latest));
  }

  /** The probe timeout before any backoff, without the other side's delay (RFC 9002 section 6.2.1). */
  get probeTimeout(): number {
    if (!this.#measured) return 3 * INITIAL;
    return this.#smoothed + Math.max(GRANULARITY, 4 * this.#variation);
  }

  /** `delay`: for how long the other side says that it kept the acknowledgement back. */
  measured(sample: number, delay = 0): void {
    this.#shortest = this.#measured ? Math.min(this.#shortest, sample) : sample;
    this.#latest = sample;
    const adjusted = sample - delay >= this.#shortest ? sample - delay : sample;
    if (this.#measured) {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - adjusted);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * adjusted;
    } else {
      this.#measured = true;
      this.#variation = adjusted / 2;
      this.#smoothed = adjusted;
    }
  }
}

/** ms; RFC 9002 sections 6.1.2 and 6.2.2. */
const GRANULARITY = 1;
const INITIAL = 333;
