import type { Delivery } from './delivery.ts';
import { DATAGRAM_OVERHEAD, type FrameWriter } from './frames.ts';
import { MAX_PACKET, SHORT_HEADER_LENGTH } from './packet.ts';
import { SEAL_LENGTH } from './packet-keys.ts';

/** Longest datagram in bytes: one fills a packet. */
export const MAX_DATAGRAM = MAX_PACKET - SHORT_HEADER_LENGTH - SEAL_LENGTH - DATAGRAM_OVERHEAD;

/** Datagrams that wait to be sent; what is lost stays lost (RFC 9221). */
export class DatagramQueue {
  readonly #waiting: Uint8Array[] = [];

  get hasWork(): boolean {
    return this.#waiting.length > 0;
  }

  /** False when it is too long, or too many wait. The bytes are copied. */
  offer(bytes: Uint8Array): boolean {
    if (bytes.length > MAX_DATAGRAM || this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(Uint8Array.from(bytes));
    return true;
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Fills a packet with as many as fit. */
  write(writer: FrameWriter, deliveries: Delivery[]): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (writer.room < next.length + DATAGRAM_OVERHEAD) return;
      writer.datagram(next);
      deliveries.push(SENT);
      this.#waiting.shift();
    }
  }
}

const MAX_WAITING = 256;
const SENT: Delivery = { onArrived: () => {}, onLost: () => {} };
