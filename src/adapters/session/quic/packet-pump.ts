import type { Connection } from '@matrixai/quic/native/types.js';
import { PacketRing } from './packet-ring.ts';

export interface PacketPumpOptions {
  /** A server's is replaced until the first packet that fits. */
  readonly connection: () => Connection;
  readonly transmit: (packet: Uint8Array) => void;
  /** Called once a turn of the event loop in which something happened, before packets go out. */
  readonly onTurn: () => void;
  /**
   * quiche could not make a packet. Called after what was made before has gone out; more than once when it goes on
   * failing.
   */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Moves packets and time between a quiche connection and the outside. All that comes in within one turn of the event
 * loop is answered together: one look at the streams, one flush, one acknowledgement.
 */
export class PacketPump {
  readonly #connection: () => Connection;
  readonly #transmit: (packet: Uint8Array) => void;
  readonly #onTurn: () => void;
  readonly #onFailure: (error: unknown) => void;
  /** The last packets, while something is unacknowledged. */
  readonly #ring = new PacketRing();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, in ms of `performance.now()`. */
  #timerAt = 0;
  #sending = false;
  /** What quiche threw at the last flush. */
  #failure: unknown;
  #stopped = false;

  constructor({ connection, transmit, onTurn, onFailure }: PacketPumpOptions) {
    this.#connection = connection;
    this.#transmit = transmit;
    this.#onTurn = onTurn;
    this.#onFailure = onFailure;
  }

  /** Asks for a turn, soon. */
  schedule(): void {
    if (this.#stopped) return;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.turn();
    });
  }

  /** A turn now; soon when called out of `transmit`. */
  turn(): void {
    if (this.#sending) {
      this.schedule();
      return;
    }
    this.#onTurn();
    this.flush();
  }

  /** Sends what is due, at most a burst of it; the rest follows in the next turn, after what has come in meanwhile. */
  flush(): void {
    if (this.#sending || this.#stopped) return;
    this.#failure = undefined;
    this.#whileSending(() => {
      let left = BURST;
      while (left > 0 && this.#sendOne()) left--;
      if (left === 0) this.schedule();
    });
    if (this.#failure === undefined) this.#armTimer();
    else this.#onFailure(this.#failure);
  }

  /**
   * Sends the last packets (all that are kept, or so many) once more, as a network that duplicates would. What got lost
   * with a path that died then arrives at once: before the handshake is complete QUIC has no other probe, and with a
   * full congestion window it cannot send one.
   */
  repeat(count?: number): void {
    this.#whileSending(() => {
      for (const packet of this.#ring.last(count)) this.#transmit(packet);
    });
  }

  /** No more turns and no more time. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  /** Until it is done, what `transmit` brings about waits for another turn: the ring must not move on beneath it. */
  #whileSending(send: () => void): void {
    this.#sending = true;
    try {
      send();
    } finally {
      this.#sending = false;
    }
  }

  #sendOne(): boolean {
    const sent = this.#makePacket(this.#ring.buffer);
    if (sent === null) return false;
    this.#transmit(this.#ring.keep(sent[0]));
    return true;
  }

  #makePacket(buffer: Uint8Array): ReturnType<Connection['send']> {
    try {
      return this.#connection().send(buffer);
    } catch (error) {
      this.#failure = error;
      return null;
    }
  }

  /** An earlier timer is left to fire for nothing: cheaper than setting it anew with every packet. */
  #armTimer(): void {
    const timeout = this.#connection().timeout();
    if (timeout === null) {
      this.#ring.clear();
      return;
    }
    const at = performance.now() + timeout;
    if (this.#timer !== undefined) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#connection().onTimeout();
        this.turn();
      },
      Math.max(1, timeout),
    );
  }
}

/** Packets sent in one turn: what a socket's default receive buffer (208 KiB on Linux) holds with room to spare. */
const BURST = 64;
