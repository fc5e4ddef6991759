import type { Clock, TimerHandle } from '../../core/clock.ts';
import { WebSocketConnection, type WebSocketOptions } from '../websocket/connection.ts';

/** Whom a client's connection tells. */
export interface ServedClientEvents {
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** `silent`: ended for want of a sign of life. */
  readonly onEnd: (silent: boolean) => void;
}

/** One client of a rendezvous server, with the bounds that `sallyport serve` sets to what waits for a slow reader. */
export class ServedClient {
  readonly #connection: WebSocketConnection;
  readonly #clock: Clock;
  #alive = true;
  #silent = false;
  #held: TimerHandle | undefined;

  constructor(options: WebSocketOptions, { onFrame, onEnd }: ServedClientEvents) {
    this.#clock = options.clock;
    this.#connection = new WebSocketConnection(options, {
      onMessage: (message) => {
        this.#alive = true;
        onFrame(message);
      },
      onControl: () => {
        this.#alive = true;
      },
      onEnd: () => {
        this.#clock.clearTimeout(this.#held);
        onEnd(this.#silent);
      },
    });
  }

  /** Ends the connection when the reader is so slow that control frames pile up. */
  sendControl(frame: string): void {
    if (this.#connection.queued > MAX_QUEUED) this.#connection.terminate();
    else this.#connection.send(frame);
  }

  /** Drops the datagram when the reader is slow. */
  sendDatagram(frame: Uint8Array): void {
    if (this.#connection.queued <= MAX_QUEUED_FOR_DATAGRAMS) this.#connection.send(frame);
  }

  /** Reads nothing more for 100 ms. */
  hold(): void {
    if (this.#held !== undefined) return;
    const goOn = this.#connection.hold();
    this.#held = this.#clock.setTimeout(() => {
      this.#held = undefined;
      goOn();
    }, HOLD);
  }

  /** Asks for a sign of life; ends the connection when there was none since the last time. */
  probe(): void {
    if (this.#alive) {
      this.#alive = false;
      this.#connection.ping();
    } else {
      this.#silent = true;
      this.#connection.terminate();
    }
  }

  /** Ends the connection of a client that has gone too far, or for whom there is no room. */
  cutOff(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  /** The host has gone down. */
  forget(): void {
    this.#clock.clearTimeout(this.#held);
    this.#connection.abandon();
  }
}

/** Bytes waiting for a reader. */
const MAX_QUEUED_FOR_DATAGRAMS = 256 * 1024;
const MAX_QUEUED = 1024 * 1024;
/** How long nothing is read from a client that sends too fast, in ms. */
const HOLD = 100;
