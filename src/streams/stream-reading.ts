import { Deferred } from '../core/deferred.ts';
import { TraversalError } from '../core/errors.ts';

/** What a stream has to give: bytes, `null` at its end, `undefined` while there is nothing, or why there will be nothing. */
export type Taken = Uint8Array | null | undefined | TraversalError;

/** The reading side of a session's stream, as its user has it: one read at a time, and how reading is over. */
export class StreamReading {
  readonly #take: () => Taken;
  #waiting: Deferred<Uint8Array | null> | undefined;
  #over: 'end' | TraversalError | undefined;

  /** `take` is called while reading is not over. When it has come to the end or to an error, it says so by `end` or `fail`. */
  constructor(take: () => Taken) {
    this.#take = take;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** As `SessionStream.read`. */
  read(): Promise<Uint8Array | null> {
    if (this.#waiting !== undefined) return Promise.reject(new TraversalError('ERR_USAGE', 'a read is under way'));
    const got = this.#next();
    if (got instanceof TraversalError) return Promise.reject(got);
    if (got !== undefined) return Promise.resolve(got);
    this.#waiting = new Deferred();
    return this.#waiting.promise;
  }

  /** Bytes, an end or a reset have come in. */
  onReadable(): void {
    if (this.#waiting === undefined) return;
    const got = this.#next();
    if (got === undefined) return;
    if (got instanceof TraversalError) this.#waiting?.reject(got);
    else this.#waiting?.resolve(got);
    this.#waiting = undefined;
  }

  /** Everything was read. */
  end(): void {
    this.#over = 'end';
  }

  /** Reading is over by an error, unless it was over before; who waits is told. Gives the error. */
  fail(error: TraversalError): TraversalError {
    this.#over ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    return error;
  }

  #next(): Taken {
    if (this.#over !== undefined) return this.#over === 'end' ? null : this.#over;
    return this.#take();
  }
}
