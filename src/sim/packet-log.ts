import { describePacket, type Packet } from './packet.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What happened to a packet at a place. Of the packet, only headers and sizes are meant to be kept. */
export interface PacketRecord {
  /** Virtual time in ms, to the microsecond. */
  readonly at: number;
  /** Name of the host, the router, the network or the link. */
  readonly place: string;
  readonly fate: PacketFate;
  /** Why, of one that was dropped. */
  readonly reason?: string;
  readonly packet: Packet;
  /** What a translated one became. */
  readonly became?: Packet;
}

export type PacketFate = 'sent' | 'delivered' | 'translated' | 'dropped';

/** Sees every packet of a simulation. Called while the packet is under way: it must not send, and not wait. */
export type PacketWatch = (record: PacketRecord) => void;

/** Tells watchers what becomes of packets; costs next to nothing while there are none. */
export class PacketLog {
  readonly #clock: VirtualClock;
  readonly #watches = new Set<PacketWatch>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Calls `watch` from now on; the returned function ends that. */
  watch(watch: PacketWatch): () => void {
    this.#watches.add(watch);
    return () => this.#watches.delete(watch);
  }

  sent(place: string, packet: Packet): void {
    this.#tell(place, 'sent', packet);
  }

  delivered(place: string, packet: Packet): void {
    this.#tell(place, 'delivered', packet);
  }

  translated(place: string, packet: Packet, became: Packet): void {
    this.#tell(place, 'translated', packet, { became });
  }

  dropped(place: string, packet: Packet, reason: string): void {
    this.#tell(place, 'dropped', packet, { reason });
  }

  #tell(place: string, fate: PacketFate, packet: Packet, more?: Pick<PacketRecord, 'reason' | 'became'>): void {
    if (this.#watches.size === 0) return;
    const record: PacketRecord = { at: this.#clock.now(), place, fate, packet, ...more };
    for (const watch of this.#watches) watch(record);
  }
}

/** One line, the same in every run with the same seed: `12.345 home translated udp .. > .. 20 B => udp .. > .. 20 B`. */
export function formatPacketRecord({ at, place, fate, reason, packet, became }: PacketRecord): string {
  const what = `${at.toFixed(3)} ${place} ${fate} ${describePacket(packet)}`;
  if (became !== undefined) return `${what} => ${describePacket(became)}`;
  return reason === undefined ? what : `${what}: ${reason}`;
}
