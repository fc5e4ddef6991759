export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whole numbers, as ranges from `start` to before `end`, in order and apart from each other. */
export class RangeSet {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** How many ranges there are. */
  get size(): number {
    return this.#starts.length;
  }

  get isEmpty(): boolean {
    return this.#starts.length === 0;
  }

  /** The range at a place, counted from the lowest, which is 0. */
  at(place: number): Range {
    return { start: this.#starts[place]!, end: this.#ends[place]! };
  }

  has(value: number): boolean {
    const place = firstAbove(this.#ends, value);
    return place < this.size && this.#starts[place]! <= value;
  }

  /** Where the range ends that `value` is in; `value` itself when it is in none. */
  endOf(value: number): number {
    const place = firstAbove(this.#ends, value);
    return place < this.size && this.#starts[place]! <= value ? this.#ends[place]! : value;
  }

  /** The parts of `start` to before `end` that are in no range. The set must not change meanwhile. */
  *gaps(start: number, end: number): Generator<Range> {
    let from = start;
    for (let place = firstAbove(this.#ends, start); from < end; place++) {
      const next = place < this.size ? Math.min(this.#starts[place]!, end) : end;
      if (from < next) yield { start: from, end: next };
      from = place < this.size ? this.#ends[place]! : end;
    }
  }

  /** Adds `start` to before `end`, and joins what touches it. */
  add(start: number, end: number): void {
    if (start >= end) return;
    // The ranges that touch the new one, neighbours included: from `first` to before `after`.
    const first = firstAbove(this.#ends, start - 1);
    const after = firstAbove(this.#starts, end);
    if (first === after) {
      this.#insert(first, start, end);
      return;
    }
    this.#starts[first] = Math.min(start, this.#starts[first]!);
    this.#ends[first] = Math.max(end, this.#ends[after - 1]!);
    this.#forget(first + 1, after);
  }

  /** Takes `start` to before `end` out. */
  remove(start: number, end: number): void {
    if (start >= end) return;
    const first = firstAbove(this.#ends, start);
    const after = firstAbove(this.#starts, end - 1);
    if (first === after) return;
    const below = this.#starts[first]!;
    const above = this.#ends[after - 1]!;
    this.#forget(first, after);
    if (above > end) this.#insert(first, end, above);
    if (below < start) this.#insert(first, below, start);
  }

  #insert(place: number, start: number, end: number): void {
    this.#starts.splice(place, 0, start);
    this.#ends.splice(place, 0, end);
  }

  #forget(from: number, to: number): void {
    if (from === to) return;
    this.#starts.splice(from, to - from);
    this.#ends.splice(from, to - from);
  }
}

/** The first place whose value is above `limit`; the length when there is none. */
function firstAbove(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
