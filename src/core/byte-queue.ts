import { TraversalError } from './errors.ts';

/** How far a producer reads ahead. The second bound is for a sender of tiny chunks, each of which costs an object. */
const READ_AHEAD = { bytes: 2 ** 20, chunks: 1024 };

/**
 * Chunks between one producer and one reader: the reading side of a `ByteSocket`, whoever implements it.
 * The producer pauses while the queue is `full`; `onRead` tells it when to look again.
 */
export class ByteQueue {
  #bytes = 0;
  readonly #chunks: Uint8Array[] = [];
  readonly #onRead: () => void;
  /** How the bytes end once the chunks are read; `null` is a good end. */
  #end: { readonly error: TraversalError | null } | undefined;
  #reader: { resolve(chunk: Uint8Array | null): void; reject(error: TraversalError): void } | undefined;

  /** `onRead` is called after each chunk that leaves the queue. */
  constructor(onRead: () => void = () => {}) {
    this.#onRead = onRead;
  }

  /** Whether the producer should pause: 1 MB or 1024 chunks wait for the reader. */
  get full(): boolean {
    return this.#bytes >= READ_AHEAD.bytes || this.#chunks.length >= READ_AHEAD.chunks;
  }

  /** Adds a chunk, or hands it to the waiting reader. Ignored after the end. */
  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    this.#serve();
  }

  /** No more chunks will come. What is in the queue can still be read. */
  end(): void {
    this.#finish(null);
  }

  /** The producer broke. What is in the queue can still be read, then `read` rejects with `error`. */
  fail(error: TraversalError): void {
    this.#finish(error);
  }

  /** Drops what is in the queue; from now on `read` rejects with `error`, even after {@link end}. */
  abandon(error: TraversalError): void {
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#end = { error };
    this.#serve();
  }

  /**
   * Next chunk, or `null` after the last one. Errors: that of `fail` or `abandon`; `ERR_BUSY` while another read waits.
   */
  read(): Promise<Uint8Array | null> {
    if (this.#reader !== undefined) {
      return Promise.reject(new TraversalError('ERR_BUSY', 'another read is waiting; await it before reading again'));
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#serve();
    });
  }

  #finish(error: TraversalError | null): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#serve();
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined && this.#end === undefined) return;
    this.#reader = undefined;
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      reader.resolve(chunk);
      this.#onRead();
    } else if (this.#end?.error) {
      reader.reject(this.#end.error);
    } else {
      reader.resolve(null);
    }
  }
}
