import { violation } from './violation.ts';

/** What one side lets the other send before it has read it, of a stream or of all together (RFC 9000 section 4.1). In bytes. */
export class ReceiveWindow {
  readonly #size: number;
  #received = 0;
  #read = 0;
  #announced: number;

  constructor(size: number) {
    this.#size = size;
    this.#announced = size;
  }

  /** So many more have come in. Throws `ERR_PROTOCOL` when they were not allowed. */
  receive(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#announced) throw violation('sent more than it may');
  }

  /** So many more are read, or thrown away. */
  read(bytes: number): void {
    this.#read += bytes;
  }

  /** Whether it is time to allow more. */
  get isLow(): boolean {
    return this.#announced - this.#read <= this.#size / 2;
  }

  /** The new limit, to be told. */
  announce(): number {
    this.#announced = this.#read + this.#size;
    return this.#announced;
  }
}

/** What the streams of a session may take from their writers, all together. In bytes. */
export class SendBudget {
  #limit = CONNECTION_WINDOW;
  #taken = 0;
  #unsent = 0;

  /**
   * As much as the other side allows, and as the send buffer has room for. What was sent does not count in it: that is bounded by the
   * congestion window.
   */
  get room(): number {
    return Math.max(0, Math.min(this.#limit - this.#taken, SEND_BUFFER - this.#unsent));
  }

  take(bytes: number): void {
    this.#taken += bytes;
    this.#unsent += bytes;
  }

  /** So many were sent for the first time. */
  sent(bytes: number): void {
    this.#unsent -= bytes;
  }

  /** So many will never be sent. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
    this.#unsent -= bytes;
  }

  /** The other side allows that much in all. */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }
}

/** As with QUIC's adapter: 12 MiB a stream, twice that for all. Both sides know these numbers, so nobody tells them. */
export const STREAM_WINDOW = 12 * 2 ** 20;
export const CONNECTION_WINDOW = 2 * STREAM_WINDOW;
/** Bytes that wait to be sent for the first time. */
const SEND_BUFFER = 256 * 2 ** 10;
