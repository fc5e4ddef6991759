import { CaptureRing } from './capture-ring.ts';

/** Something that was seen. */
interface Capture {
  readonly t: number;
  readonly tell: () => void;
}

/** What was seen of a program and is told later, in bounded room: noted at once, so that nobody who is seen waits for it. */
export class Captures {
  readonly #ring = new CaptureRing<Capture>(MAX_WAITING);
  readonly #startedAt = performance.now();
  readonly #onCapture: () => void;
  /** Of what is told now; ms since the program was first observed. */
  t = 0;
  #second = 0;
  #captured = 0;
  /** All that was ever seen waits here, or was told to the receiver that is there. */
  #isWhole = true;

  constructor(onCapture: () => void) {
    this.#onCapture = onCapture;
  }

  get waiting(): number {
    return this.#ring.length;
  }

  capture(tell: () => void): void {
    const t = this.#now();
    const second = Math.floor(t / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#captured = 0;
    }
    if (++this.#captured > MAX_PER_SECOND) this.#ring.lose();
    else this.#ring.push({ t, tell });
    this.#onCapture();
  }

  /** Tells the oldest of what waits. */
  tellNext(): void {
    const capture = this.#ring.shift();
    if (capture === undefined) return;
    this.t = capture.t;
    try {
      capture.tell();
    } catch {
      // What cannot be made plain is left out, as what was lost is.
      this.#ring.lose();
    }
  }

  /** A receiver is there that knows nothing. Whether everything waits for it; if not, nothing does: it has to be told what is now. */
  begin(): boolean {
    const lost = this.#ring.takeLost();
    const isWhole = this.#isWhole && lost === 0;
    this.#isWhole = false;
    this.t = this.#now();
    if (!isWhole) {
      this.#ring.lose(lost);
      this.#ring.clear();
    }
    return isWhole;
  }

  /** How many were lost since this was asked last. */
  takeLost(): number {
    return this.#ring.takeLost();
  }

  #now(): number {
    return Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000;
  }
}

/** Captures that wait. */
const MAX_WAITING = 10_000;
const MAX_PER_SECOND = 20_000;
