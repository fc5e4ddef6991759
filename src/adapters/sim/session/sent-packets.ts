import { Congestion } from './congestion.ts';
import type { Delivery } from './delivery.ts';
import type { AckRange } from './frames.ts';
import type { RoundTrip } from './round-trip.ts';

/** A packet that asks for an acknowledgement and has none. */
export interface SentPacket {
  readonly number: number;
  /** ms. */
  readonly at: number;
  /** Its whole length. */
  readonly bytes: number;
  readonly deliveries: readonly Delivery[];
}

/** What is under way: which packets arrived, which are lost, and when to ask (RFC 9002 section 6). Times in ms. */
export class SentPackets {
  readonly #roundTrip: RoundTrip;
  readonly #congestion = new Congestion();
  /** In the order of their numbers. */
  readonly #packets = new Map<number, SentPacket>();
  #inFlight = 0;
  #lost = 0;
  #largestAcked = -1;
  /** When the last of them was sent. */
  #lastSentAt = 0;
  /** How often the probe timeout has come in a row. */
  #timeouts = 0;
  /** When the oldest packet before an acknowledged one is to be taken for lost. */
  #lossAt: number | undefined;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  get isEmpty(): boolean {
    return this.#packets.size === 0;
  }

  get lostPackets(): number {
    return this.#lost;
  }

  /** Bytes that the congestion window has room for. */
  get room(): number {
    return this.#congestion.window - this.#inFlight;
  }

  /** When {@link onTimeout} is due; `undefined` while nothing is under way. */
  get deadline(): number | undefined {
    if (this.isEmpty) return undefined;
    const { probeTimeout } = this.#roundTrip;
    return this.#lossAt ?? this.#lastSentAt + (probeTimeout + MAX_ACK_DELAY) * 2 ** this.#timeouts;
  }

  onSent(packet: SentPacket): void {
    this.#packets.set(packet.number, packet);
    this.#inFlight += packet.bytes;
    this.#lastSentAt = packet.at;
  }

  /** `ranges`: the highest first; `delay`: ms for which the other side kept it back. */
  onAck(ranges: readonly AckRange[], delay: number, now: number): void {
    const largest = ranges[0]!.last;
    const newest = this.#packets.get(largest);
    if (newest !== undefined) this.#roundTrip.measured(now - newest.at, Math.min(delay, MAX_ACK_DELAY));
    this.#largestAcked = Math.max(this.#largestAcked, largest);
    const before = this.#inFlight;
    const arrived = this.#within(ranges);
    for (const packet of arrived) {
      this.#forget(packet);
      this.#congestion.arrived(packet.bytes, packet.at, before);
      for (const delivery of packet.deliveries) delivery.onArrived();
    }
    if (arrived.length === 0) return;
    this.#timeouts = 0;
    this.#detectLoss(now);
  }

  /** The deadline has come. How many probes to send, whatever room there is. */
  onTimeout(now: number): number {
    if (this.#lossAt !== undefined) {
      this.#detectLoss(now);
      return 0;
    }
    this.#timeouts = Math.min(this.#timeouts + 1, MAX_TIMEOUTS);
    return Math.min(this.#timeouts, MAX_PROBES);
  }

  /** What follows goes another way: how long nothing has come, and how much may be under way, is forgotten. */
  onPathChanged(now: number): void {
    this.#timeouts = 0;
    this.#congestion.begin(now);
  }

  /** Takes what the oldest packets carried for lost, so that probes bring it again. */
  repeatOldest(packets: number): void {
    let left = packets;
    for (const packet of this.#packets.values()) {
      if (left-- === 0) return;
      for (const delivery of packet.deliveries) delivery.onLost();
    }
  }

  /** Lost is what was sent {@link PACKET_THRESHOLD} packets before one that arrived, or so much earlier that it should have come. */
  #detectLoss(now: number): void {
    const delay = this.#roundTrip.lossDelay;
    const lost: SentPacket[] = [];
    this.#lossAt = undefined;
    for (const packet of this.#packets.values()) {
      if (packet.number > this.#largestAcked) break;
      if (packet.number <= this.#largestAcked - PACKET_THRESHOLD || packet.at + delay <= now) {
        lost.push(packet);
      } else {
        this.#lossAt = packet.at + delay;
        break;
      }
    }
    for (const packet of lost) {
      this.#forget(packet);
      this.#lost++;
      this.#congestion.lost(packet.at, now);
      for (const delivery of packet.deliveries) delivery.onLost();
    }
  }

  #within(ranges: readonly AckRange[]): SentPacket[] {
    const found: SentPacket[] = [];
    let place = ranges.length - 1;
    for (const packet of this.#packets.values()) {
      while (place >= 0 && ranges[place]!.last < packet.number) place--;
      if (place < 0) break;
      if (ranges[place]!.first <= packet.number) found.push(packet);
    }
    return found;
  }

  #forget(packet: SentPacket): void {
    this.#packets.delete(packet.number);
    this.#inFlight -= packet.bytes;
  }
}

/** How long an acknowledgement may be kept back, in ms (RFC 9000 section 18.2). */
export const MAX_ACK_DELAY = 25;
/** RFC 9002 section 6.1.1. */
const PACKET_THRESHOLD = 3;
/** RFC 9002 section 6.2.4. */
const MAX_PROBES = 2;
/** The longest wait is that many times doubled; a path that died is a matter for `pathChanged()`. */
const MAX_TIMEOUTS = 10;
