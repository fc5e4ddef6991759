/** When the packets of a row may leave, at a steady rate. */
export interface Pace {
  /** How many are to leave now; they count as sent. `now` is in ms and never goes back. */
  take(now: number): number;
  /** When the next one is due; `undefined` when all have left. */
  readonly nextAt: number | undefined;
}

/**
 * `rate`: packets a second, the first one at once. Who comes late, because the process was busy, sends at most {@link BURST} at once,
 * and the rest is put off.
 */
export function createPace(count: number, rate: number, now: number): Pace {
  return new SteadyPace(count, rate, now);
}

/** Packets that may leave back to back. */
export const BURST = 16;

class SteadyPace implements Pace {
  readonly #interval: number;
  #left: number;
  #due: number;

  constructor(count: number, rate: number, now: number) {
    this.#interval = 1000 / rate;
    this.#left = count;
    this.#due = now;
  }

  get nextAt(): number | undefined {
    return this.#left === 0 ? undefined : this.#due;
  }

  take(now: number): number {
    if (now < this.#due) return 0;
    const overdue = Math.floor((now - this.#due) / this.#interval) + 1;
    const taken = Math.min(this.#left, overdue, BURST);
    this.#left -= taken;
    this.#due = overdue > BURST ? now + this.#interval : this.#due + taken * this.#interval;
    return taken;
  }
}
