import { MAX_PACKET } from './config.ts';

/** The packets that were written last. Takes memory from the first of them until it is cleared. */
export class PacketRing {
  readonly #slots: Slot[] = [];
  #next = 0;

  /** Where the next packet is to be written: the place of the oldest one. It counts once it is kept. */
  get buffer(): Uint8Array {
    this.#slots[this.#next] ??= { buffer: spares.pop() ?? new Uint8Array(MAX_PACKET), length: 0 };
    return this.#slots[this.#next]!.buffer;
  }

  /** The packet of this length that has been written; valid until as many others were as are kept. */
  keep(length: number): Uint8Array {
    const slot = this.#slots[this.#next]!;
    slot.length = length;
    this.#next = (this.#next + 1) % RING;
    return packetIn(slot);
  }

  /** At most this many of the packets that are kept, the oldest first. */
  last(count = RING): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let back = count; back > 0; back--) {
      const slot = this.#slots[(this.#next + RING - back) % RING];
      if (slot !== undefined && slot.length > 0) packets.push(packetIn(slot));
    }
    return packets;
  }

  clear(): void {
    for (const { buffer } of this.#slots) if (spares.length < MAX_SPARES) spares.push(buffer);
    this.#slots.length = 0;
    this.#next = 0;
  }
}

interface Slot {
  readonly buffer: Uint8Array;
  /** 0 while nothing was kept. */
  length: number;
}

/** Most packets are full, and a view less for each of those is felt. */
function packetIn({ buffer, length }: Slot): Uint8Array {
  return length === MAX_PACKET ? buffer : buffer.subarray(0, length);
}

/** Packets that are kept: more than a flight of the handshake. */
const RING = 4;
/**
 * Buffers of cleared rings, for whoever needs one next: a session that only acknowledges clears its ring every turn.
 */
const spares: Uint8Array[] = [];
const MAX_SPARES = 64;
