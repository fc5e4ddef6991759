/** Bytes in the order in which they came, that can be read anywhere; its memory grows as needed, up to a bound. */
export class ByteRing {
  readonly #bound: number;
  #bytes = new Uint8Array(SMALLEST);
  #start = 0;
  #length = 0;

  /** `bound`: bytes it takes at most, a power of 2. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes for which there is room. */
  get room(): number {
    return this.#bound - this.#length;
  }

  /** Adds as much as there is room for, and says how much that was. */
  push(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    this.#grow(this.#length + taken);
    const at = (this.#start + this.#length) % this.#bytes.length;
    const first = Math.min(taken, this.#bytes.length - at);
    this.#bytes.set(bytes.subarray(0, first), at);
    this.#bytes.set(bytes.subarray(first, taken), 0);
    this.#length += taken;
    return taken;
  }

  /** A copy of `length` bytes from `offset` on, both within what is there. */
  slice(offset: number, length: number): Uint8Array {
    const copy = new Uint8Array(length);
    const at = (this.#start + offset) % this.#bytes.length;
    const first = Math.min(length, this.#bytes.length - at);
    copy.set(this.#bytes.subarray(at, at + first));
    copy.set(this.#bytes.subarray(0, length - first), first);
    return copy;
  }

  /** Forgets the first `length` bytes. */
  drop(length: number): void {
    this.#start = (this.#start + length) % this.#bytes.length;
    this.#length -= length;
  }

  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return;
    let size = this.#bytes.length;
    while (size < needed) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.slice(0, this.#length));
    this.#bytes = grown;
    this.#start = 0;
  }
}

const SMALLEST = 1024;
