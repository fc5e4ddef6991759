import { RangeSet } from './range-set.ts';
import { violation } from './violation.ts';

/** Streams that either side may have open at a time. */
export const MAX_STREAMS = 4096;

/** Which streams the other side may open, and which of them are over (RFC 9000 section 4.6). */
export class StreamLimit {
  readonly #firstId: number;
  /** By number, from 0. */
  readonly #over = new RangeSet();
  #overCount = 0;
  /** Streams up to the highest that the other side has opened. */
  #opened = 0;
  #announced = MAX_STREAMS;

  /** `firstId`: of the other side's first stream; the next ones go up in steps of 4. */
  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  /** Whether a stream of the other side is over. Throws `ERR_PROTOCOL` when it may not open that one. */
  isOver(id: number): boolean {
    const number = this.#number(id);
    if (number >= this.#announced) throw violation('opened more streams than it may');
    this.#opened = Math.max(this.#opened, number + 1);
    return this.#over.has(number);
  }

  /** Both directions of a stream are over. */
  end(id: number): void {
    this.#over.add(this.#number(id), this.#number(id) + 1);
    this.#overCount++;
  }

  /** Whether it is time to allow more. */
  get isLow(): boolean {
    return this.#announced - this.#opened <= MAX_STREAMS / 2 && this.#announced < this.#overCount + MAX_STREAMS;
  }

  /** The new limit, to be told. */
  announce(): number {
    this.#announced = this.#overCount + MAX_STREAMS;
    return this.#announced;
  }

  #number(id: number): number {
    return (id - this.#firstId) / 4;
  }
}
