import type { Delivery } from './delivery.ts';
import { type FrameWriter, NUMBERS_ROOM } from './frames.ts';
import { RangeSet } from './range-set.ts';
import { SparseBytes } from './sparse-bytes.ts';

export interface SendHalfOptions {
  readonly id: number;
  /** Bytes that the other side allows to begin with. */
  readonly limit: number;
  /** There is something to {@link SendHalf.write}. */
  readonly onWork: () => void;
  /** So many bytes were sent for the first time. */
  readonly onSent: (bytes: number) => void;
  /** The other side has all that it is to get. */
  readonly onSettled: () => void;
}

/** The sending part of a stream (RFC 9000 section 3.1): keeps bytes until they have arrived. */
export class SendHalf {
  readonly id: number;
  readonly #options: SendHalfOptions;
  readonly #bytes = new SparseBytes();
  readonly #arrived = new RangeSet();
  /** Sent once, and to be sent again. */
  readonly #lost = new RangeSet();
  #limit: number;
  /** Offset behind the last byte that was taken. */
  #end = 0;
  /** Offset behind the last byte that was sent. */
  #sent = 0;
  #fin: 'open' | 'due' | 'sent' | 'arrived' = 'open';
  #reset: Reset | undefined;

  constructor(options: SendHalfOptions) {
    this.id = options.id;
    this.#options = options;
    this.#limit = options.limit;
  }

  /** Bytes that the other side allows beyond those that were taken. */
  get credit(): number {
    return this.#limit - this.#end;
  }

  /** Bytes that have not arrived. */
  get outstanding(): number {
    return this.#end - this.#arrived.endOf(0);
  }

  /** Everything has arrived, or the reset. */
  get isSettled(): boolean {
    return this.#reset?.state === 'arrived' || (this.#fin === 'arrived' && this.outstanding === 0);
  }

  /** There is something to {@link write}. */
  get hasWork(): boolean {
    if (this.#reset !== undefined) return this.#reset.state === 'due';
    return this.#fin === 'due' || this.#sent < this.#end || !this.#lost.isEmpty;
  }

  /** Takes bytes to send, by a copy. The caller has looked at {@link credit}. */
  take(bytes: Uint8Array): void {
    this.#bytes.write(this.#end, bytes);
    this.#end += bytes.length;
    this.#options.onWork();
  }

  /** Nothing follows what was taken. */
  finish(): void {
    this.#fin = 'due';
    this.#options.onWork();
  }

  /** Gives up what has not arrived, and says so with a code. How many bytes will not be sent. */
  reset(code: number): number {
    if (this.#reset !== undefined || this.isSettled) return 0;
    this.#reset = { code, state: 'due' };
    this.#bytes.clear();
    this.#options.onWork();
    return this.#end - this.#sent;
  }

  /** The other side allows that much in all. */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  /** Writes the next frame, as long as there is room; `undefined` when there is too little. */
  write(writer: FrameWriter): Delivery | undefined {
    if (this.#reset !== undefined) return this.#writeReset(writer, this.#reset);
    const offset = this.#lost.isEmpty ? this.#sent : this.#lost.at(0).start;
    const until = this.#lost.isEmpty ? this.#end : this.#lost.at(0).end;
    const room = writer.streamRoom(this.id, offset);
    if (room < 0 || (room === 0 && until > offset)) return undefined;
    const length = Math.min(until - offset, room);
    const end = offset + length;
    const fin = end === this.#end && this.#fin !== 'open';
    writer.stream(this.id, offset, length, fin, (target, at) => this.#bytes.copy(offset, length, target, at));
    this.#lost.remove(offset, end);
    if (end > this.#sent) this.#options.onSent(end - this.#sent);
    this.#sent = Math.max(this.#sent, end);
    if (fin && this.#fin !== 'arrived') this.#fin = 'sent';
    return new SentRange(this, offset, end, fin);
  }

  /** For {@link SentRange}. */
  onArrived(start: number, end: number, fin: boolean): void {
    const before = this.#arrived.endOf(0);
    this.#arrived.add(start, end);
    this.#lost.remove(start, end);
    if (fin) this.#fin = 'arrived';
    const after = this.#arrived.endOf(0);
    if (after === this.#end) this.#bytes.clear();
    else this.#bytes.drop(before, after);
    if (this.isSettled) this.#options.onSettled();
  }

  /** For {@link SentRange}. */
  onLost(start: number, end: number, fin: boolean): void {
    if (this.#reset !== undefined) return;
    for (const gap of this.#arrived.gaps(start, end)) this.#lost.add(gap.start, gap.end);
    if (fin && this.#fin === 'sent') this.#fin = 'due';
    if (this.hasWork) this.#options.onWork();
  }

  #writeReset(writer: FrameWriter, reset: Reset): Delivery | undefined {
    if (writer.room < NUMBERS_ROOM) return undefined;
    writer.resetStream(this.id, reset.code, this.#sent);
    reset.state = 'sent';
    return {
      onArrived: () => {
        reset.state = 'arrived';
        this.#options.onSettled();
      },
      onLost: () => {
        if (reset.state === 'sent') reset.state = 'due';
        if (this.hasWork) this.#options.onWork();
      },
    };
  }
}

interface Reset {
  readonly code: number;
  state: 'due' | 'sent' | 'arrived';
}

/** Bytes of a stream that a packet carried. */
class SentRange implements Delivery {
  readonly #half: SendHalf;
  readonly #start: number;
  readonly #end: number;
  readonly #fin: boolean;

  constructor(half: SendHalf, start: number, end: number, fin: boolean) {
    this.#half = half;
    this.#start = start;
    this.#end = end;
    this.#fin = fin;
  }

  onArrived(): void {
    this.#half.onArrived(this.#start, this.#end, this.#fin);
  }

  onLost(): void {
    this.#half.onLost(this.#start, this.#end, this.#fin);
  }
}
