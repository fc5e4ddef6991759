/** How much may be under way (RFC 5681): slow start, congestion avoidance, half after a loss. All in bytes. */
export class Congestion {
  readonly #mss: number;
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;

  constructor(mss: number) {
    this.#mss = mss;
    // RFC 6928.
    this.#window = 10 * mss;
  }

  /** The congestion window. */
  get window(): number {
    return this.#window;
  }

  /** `bytes` new ones were acknowledged. */
  acknowledged(bytes: number): void {
    const grown = Math.min(bytes, this.#mss);
    this.#window +=
      this.#window < this.#threshold ? grown : Math.max(1, Math.floor((this.#mss * grown) / this.#window));
  }

  /** A segment is lost, while those after it arrive; `inFlight` bytes are under way. */
  lostOne(inFlight: number): void {
    this.#threshold = Math.max(Math.floor(inFlight / 2), 2 * this.#mss);
    this.#window = this.#threshold;
  }

  /** Nothing arrives: the retransmission timer ran out. */
  lostAll(inFlight: number): void {
    this.lostOne(inFlight);
    this.#window = this.#mss;
  }
}
