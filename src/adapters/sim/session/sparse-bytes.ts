/**
 * The bytes of a stream by their offset, in whatever order they come, for as long as they are needed. Which of them are there, others know:
 * a place that was not written holds anything.
 */
export class SparseBytes {
  readonly #pages = new Map<number, Buffer>();

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const page = this.#page(Math.floor((offset + done) / PAGE));
      const at = (offset + done) % PAGE;
      const length = Math.min(PAGE - at, bytes.length - done);
      page.set(bytes.subarray(done, done + length), at);
      done += length;
    }
  }

  /** Copies `length` bytes from `offset` on, all of which were written. */
  copy(offset: number, length: number, target: Buffer, targetAt: number): void {
    for (let done = 0; done < length; ) {
      const page = this.#page(Math.floor((offset + done) / PAGE));
      const at = (offset + done) % PAGE;
      done += page.copy(target, targetAt + done, at, at + length - done);
    }
  }

  /** The bytes `from` to before `to` are not needed any more, and none before them. */
  drop(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE); page < Math.floor(to / PAGE); page++) this.#release(page);
  }

  /** No byte that was written is needed any more. */
  clear(): void {
    for (const page of [...this.#pages.keys()]) this.#release(page);
  }

  #page(number: number): Buffer {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = spares.pop() ?? Buffer.allocUnsafeSlow(PAGE);
      this.#pages.set(number, page);
    }
    return page;
  }

  #release(number: number): void {
    const page = this.#pages.get(number);
    if (page === undefined) return;
    this.#pages.delete(number);
    if (spares.length < MAX_SPARES) spares.push(page);
  }
}

const PAGE = 4096;
/** Pages for whoever needs one next: most streams are short, and a page less to make is felt. */
const spares: Buffer[] = [];
const MAX_SPARES = 256;
