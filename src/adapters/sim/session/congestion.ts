import { MAX_PACKET } from './packet.ts';

/**
 * How many bytes may be under way: NewReno as RFC 9002 section 7 has it. It makes way on narrow links and is slow on lossy ones, as a
 * session over a real network would be that knows nothing better; QUIC's adapter runs BBR, which minds single losses less.
 *
 * There is no persistent congestion (section 7.6): what takes all packets of a simulation for so long is a path that died, and the next one
 * begins anew. Nothing is paced.
 */
export class Congestion {
  #window = INITIAL_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;
  /** Packets sent before belong to a loss that the window has been cut for. */
  #recoverySince = Number.NEGATIVE_INFINITY;

  get window(): number {
    return this.#window;
  }

  /** What follows goes another way: what was sent before says nothing about it (RFC 9000 section 9.4). */
  begin(now: number): void {
    this.#window = INITIAL_WINDOW;
    this.#threshold = Number.POSITIVE_INFINITY;
    this.#recoverySince = now;
  }

  /** A packet of so many bytes, sent at that time, has arrived; `inFlight` bytes were under way with it. */
  arrived(bytes: number, sentAt: number, inFlight: number): void {
    // What is not used proves nothing (section 7.8).
    if (sentAt <= this.#recoverySince || 2 * inFlight < this.#window) return;
    const slowStart = this.#window < this.#threshold;
    this.#window += slowStart ? bytes : (MAX_PACKET * bytes) / this.#window;
  }

  /** A packet that was sent at that time is lost. */
  lost(sentAt: number, now: number): void {
    if (sentAt <= this.#recoverySince) return;
    this.#recoverySince = now;
    this.#threshold = Math.max(this.#window / 2, MINIMUM_WINDOW);
    this.#window = this.#threshold;
  }
}

/** RFC 9002 section 7.2. */
const INITIAL_WINDOW = 10 * MAX_PACKET;
const MINIMUM_WINDOW = 2 * MAX_PACKET;
