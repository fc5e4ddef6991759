import type { Delivery } from './delivery.ts';
import type { ReceiveWindow } from './flow-control.ts';
import { type FrameWriter, NUMBERS_ROOM } from './frames.ts';
import type { ReceiveHalf } from './receive-half.ts';
import type { StreamLimit } from './stream-limit.ts';

/** What the other side is to be told of room: for the session, for each stream, for more streams (RFC 9000 section 4). */
export class WindowUpdates {
  readonly #session: ReceiveWindow;
  readonly #limit: StreamLimit;
  readonly #wake: () => void;
  readonly #halves = new Set<ReceiveHalf>();
  #sessionDue = false;
  #limitDue = false;

  constructor(session: ReceiveWindow, limit: StreamLimit, wake: () => void) {
    this.#session = session;
    this.#limit = limit;
    this.#wake = wake;
  }

  get areDue(): boolean {
    return this.#sessionDue || this.#limitDue || this.#halves.size > 0;
  }

  /** Bytes of a stream were read or thrown away. */
  onRead(half: ReceiveHalf): void {
    if (half.needsRoom) this.#halves.add(half);
    if (this.#session.isLow) this.#sessionDue = true;
    if (this.areDue) this.#wake();
  }

  /** A stream of the other side is over. */
  onStreamOver(half: ReceiveHalf): void {
    this.#halves.delete(half);
    if (!this.#limit.isLow) return;
    this.#limitDue = true;
    this.#wake();
  }

  write(writer: FrameWriter, deliveries: Delivery[]): void {
    if (this.#sessionDue && writer.room >= NUMBERS_ROOM) {
      this.#sessionDue = false;
      writer.maxData(this.#session.announce());
      deliveries.push(this.#sessionDelivery);
    }
    if (this.#limitDue && writer.room >= NUMBERS_ROOM) {
      this.#limitDue = false;
      writer.maxStreams(this.#limit.announce());
      deliveries.push(this.#limitDelivery);
    }
    for (const half of this.#halves) {
      if (writer.room < NUMBERS_ROOM) return;
      this.#halves.delete(half);
      writer.maxStreamData(half.id, half.window.announce());
      deliveries.push({ onArrived: nothing, onLost: () => this.#repeat(half) });
    }
  }

  #repeat(half: ReceiveHalf): void {
    if (!half.isSettled) this.#halves.add(half);
  }

  readonly #sessionDelivery: Delivery = {
    onArrived: nothing,
    onLost: () => {
      this.#sessionDue = true;
    },
  };

  readonly #limitDelivery: Delivery = {
    onArrived: nothing,
    onLost: () => {
      this.#limitDue = true;
    },
  };
}

function nothing(): void {}
