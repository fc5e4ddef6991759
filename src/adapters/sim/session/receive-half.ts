import { ReceiveWindow, STREAM_WINDOW } from './flow-control.ts';
import { RangeSet } from './range-set.ts';
import { SparseBytes } from './sparse-bytes.ts';
import { violation } from './violation.ts';

/** The receiving part of a stream (RFC 9000 section 3.2): puts bytes in order, and keeps them until they are read. */
export class ReceiveHalf {
  readonly id: number;
  readonly window = new ReceiveWindow(STREAM_WINDOW);
  /** The window of the whole session. */
  readonly #session: ReceiveWindow;
  readonly #bytes = new SparseBytes();
  readonly #arrived = new RangeSet();
  /** Offset behind the last byte that came in. */
  #highest = 0;
  /** Offset of the next byte to read. */
  #at = 0;
  #finalSize: number | undefined;
  #discards = false;

  constructor(id: number, session: ReceiveWindow) {
    this.id = id;
    this.#session = session;
  }

  /** Nothing more will come in that matters. */
  get isSettled(): boolean {
    return this.#finalSize !== undefined && (this.#discards || this.#at === this.#finalSize);
  }

  /** Whether the other side needs to be told of a new limit. */
  get needsRoom(): boolean {
    return this.#finalSize === undefined && !this.#discards && this.window.isLow;
  }

  /** Bytes of a frame. Throws `ERR_PROTOCOL` when they are more than is allowed, or contradict what the stream's end was. */
  receive(offset: number, bytes: Uint8Array, fin: boolean): void {
    const end = offset + bytes.length;
    this.#grow(end, fin);
    if (this.#discards || end <= this.#at) return;
    const from = Math.max(offset, this.#at);
    this.#bytes.write(from, bytes.subarray(from - offset));
    this.#arrived.add(from, end);
    if (this.#arrived.size > MAX_PIECES) throw violation(`sent a stream in more than ${MAX_PIECES} pieces`);
  }

  /** Up to `most` bytes that are in order; `null` at the end, `undefined` while there is nothing. */
  read(most: number): Buffer | null | undefined {
    if (this.#at === this.#finalSize) return null;
    const length = Math.min(most, this.#arrived.endOf(this.#at) - this.#at);
    if (length === 0) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    this.#bytes.copy(this.#at, length, bytes, 0);
    this.#release(length);
    return bytes;
  }

  /** The other side gave the stream up after that many bytes. Throws `ERR_PROTOCOL`. */
  reset(finalSize: number): void {
    this.#grow(finalSize, true);
    this.discard();
  }

  /** Whatever comes is not for anyone. */
  discard(): void {
    if (this.#discards) return;
    this.#discards = true;
    this.#release(this.#highest - this.#at);
  }

  /** Counts bytes up to `end`. */
  #grow(end: number, isEnd: boolean): void {
    const beyond = this.#finalSize !== undefined && end > this.#finalSize;
    if (beyond || (isEnd && (end < this.#highest || end !== (this.#finalSize ?? end)))) {
      throw violation('changed the end of a stream');
    }
    if (isEnd) this.#finalSize = end;
    if (end <= this.#highest) return;
    this.window.receive(end - this.#highest);
    this.#session.receive(end - this.#highest);
    this.#highest = end;
    if (this.#discards) this.#release(end - this.#at);
  }

  #release(length: number): void {
    const next = this.#at + length;
    if (next === this.#highest) this.#bytes.clear();
    else this.#bytes.drop(this.#at, next);
    this.#arrived.remove(this.#at, next);
    this.#at = next;
    this.window.read(length);
    this.#session.read(length);
  }
}

/** Pieces with gaps between them. A window of full packets, half of them lost, has 5,000. */
const MAX_PIECES = 8192;
