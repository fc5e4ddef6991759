import { advance, distance } from './sequence.ts';

/** What the receiving half of a connection needs of it. */
export interface ReceiverEvents {
  /** Bytes in their order; the callee's own. */
  readonly onData: (bytes: Uint8Array) => void;
  /** The other side has said everything. */
  readonly onEnd: () => void;
}

/** Puts segments into order (RFC 9293 section 3.10.7.4), within a window. */
export class Receiver {
  readonly #events: ReceiverEvents;
  #next: number;
  #unread = 0;
  #advertised = RECEIVE_BUFFER;
  #ended = false;
  /** Where the other side ends, once its FIN was seen. */
  #end: number | undefined;
  /** What came before its turn, by sequence number. */
  readonly #early = new Map<number, Uint8Array>();

  /** `next`: sequence number of the first byte. */
  constructor(next: number, events: ReceiverEvents) {
    this.#next = next;
    this.#events = events;
  }

  /** RCV.NXT: what is expected, FIN counted. */
  get next(): number {
    return this.#next;
  }

  /** Whether the other side's FIN has come, and everything before it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The window to advertise, in bytes. */
  advertise(): number {
    this.#advertised = Math.max(0, RECEIVE_BUFFER - this.#unread);
    return this.#advertised;
  }

  /** Whether a sequence number is within what is expected now. */
  isInWindow(sequence: number): boolean {
    const ahead = distance(this.#next, sequence);
    return ahead >= 0 && ahead <= this.#advertised;
  }

  accept(sequence: number, payload: Uint8Array, fin: boolean): void {
    if (this.#ended) return;
    if (fin) this.#end = advance(sequence, payload.length);
    if (payload.length > 0) this.#keep(sequence, payload);
    this.#deliver();
  }

  /** The user has read `bytes`; true when the other side should be told that there is room again. */
  read(bytes: number): boolean {
    this.#unread -= bytes;
    return this.#advertised < RECEIVE_BUFFER / 4 && RECEIVE_BUFFER - this.#unread >= RECEIVE_BUFFER / 2;
  }

  #keep(sequence: number, payload: Uint8Array): void {
    const ahead = distance(this.#next, sequence);
    const beyond = ahead + payload.length - this.#advertised;
    const fitting = beyond > 0 ? payload.subarray(0, Math.max(0, payload.length - beyond)) : payload;
    const known = this.#early.get(sequence);
    // The one that is due is always taken, or nothing would ever come out of what waits for it.
    const full = this.#early.size >= EARLY_SEGMENTS && known === undefined && ahead > 0;
    if (fitting.length === 0 || full) return;
    if (known === undefined || known.length < fitting.length) this.#early.set(sequence, fitting);
  }

  #deliver(): void {
    while (this.#deliverOne());
    if (this.#end === undefined || distance(this.#next, this.#end) > 0) return;
    this.#ended = true;
    this.#next = advance(this.#end, 1);
    this.#early.clear();
    this.#events.onEnd();
  }

  /** Whether a segment was found that has the next byte. */
  #deliverOne(): boolean {
    for (const [sequence, payload] of this.#early) {
      const skip = distance(sequence, this.#next);
      if (skip < 0) continue;
      this.#early.delete(sequence);
      if (skip >= payload.length) continue;
      const bytes = payload.slice(skip);
      this.#next = advance(this.#next, bytes.length);
      this.#unread += bytes.length;
      this.#events.onData(bytes);
      return true;
    }
    return false;
  }
}

/** Bytes that wait for the user at most. */
export const RECEIVE_BUFFER = 2 ** 20;
/** Segments that wait for an earlier one at most. */
const EARLY_SEGMENTS = 2048;
