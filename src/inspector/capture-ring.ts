/** What was seen and not told yet: of very much the oldest is lost, and counted. */
export class CaptureRing<T> {
  readonly #capacity: number;
  readonly #entries: (T | undefined)[] = [];
  /** Of the oldest entry. */
  #start = 0;
  #length = 0;
  #lost = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  push(entry: T): void {
    if (this.#length === this.#capacity) {
      this.#start = (this.#start + 1) % this.#capacity;
      this.#length--;
      this.#lost++;
    }
    this.#entries[(this.#start + this.#length) % this.#capacity] = entry;
    this.#length++;
  }

  /** The oldest entry, which is no longer in it. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const entry = this.#entries[this.#start];
    this.#entries[this.#start] = undefined;
    this.#start = (this.#start + 1) % this.#capacity;
    this.#length--;
    return entry;
  }

  /** So many that are not in it count as lost, too. */
  lose(count = 1): void {
    this.#lost += count;
  }

  /** How many are lost since this was asked last. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  clear(): void {
    this.#lost += this.#length;
    while (this.shift() !== undefined);
  }
}
