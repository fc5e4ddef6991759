import type { LinkSpec } from './link-spec.ts';
import { type Packet, wireSize } from './packet.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Simulation } from './simulation.ts';

/** One direction of a link. Packets go over it in order, but for those that are held back. Integers only. */
export class Wire {
  up = true;
  readonly #simulation: Simulation;
  readonly #place: string;
  readonly #number: number;
  readonly #impairments: Impairments;
  /** Made when it is needed first, since most links need none. */
  #random: SeededRandom | undefined;
  /** Microseconds: when the last packet has left the queue, and when the last one arrives. */
  #freeAt = 0;
  #lastArrival = 0;
  #inBurst = false;

  /**
   * `place`: the wire's name in the packet log, and of its chance. `number`: which one of that name it is, for chance of its own.
   */
  constructor(simulation: Simulation, place: string, spec: LinkSpec, number = 1) {
    this.#simulation = simulation;
    this.#place = place;
    this.#number = number;
    this.#impairments = impairmentsOf(spec);
  }

  /** Takes a packet, and hands it on when it has arrived, if it does. */
  carry(packet: Packet, deliver: (packet: Packet) => void): void {
    const { clock } = this.#simulation;
    const departure = this.#depart(packet, clock.microseconds);
    if (typeof departure === 'string') this.#drop(packet, departure);
    else this.#send(packet, departure - clock.microseconds, deliver);
  }

  /** When the last bit has left the queue, or what keeps it from arriving. */
  #depart(packet: Packet, now: number): number | string {
    if (!this.up) return 'link down';
    const departure = this.#queue(wireSize(packet), now);
    if (departure === undefined) return 'queue full';
    if (this.#isLostInBurst()) return 'lost in a burst';
    return this.#happens(this.#impairments.loss) ? 'lost' : departure;
  }

  #send(packet: Packet, wait: number, deliver: (packet: Packet) => void): void {
    const { clock } = this.#simulation;
    const { latency, jitter, reorder, reorderDelay, duplicate } = this.#impairments;
    const delay = wait + latency + (jitter > 0 ? this.#chance.below(jitter + 1) : 0);
    let arrival = Math.max(clock.microseconds + delay, this.#lastArrival);
    if (this.#happens(reorder)) arrival += reorderDelay;
    else this.#lastArrival = arrival;
    const copies = this.#happens(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      clock.schedule(arrival - clock.microseconds, () => this.#arrive(packet, deliver));
    }
  }

  #arrive(packet: Packet, deliver: (packet: Packet) => void): void {
    if (this.up) deliver(packet);
    else this.#drop(packet, 'link down');
  }

  /** When the last bit leaves the queue; `undefined` when there is no room to wait. */
  #queue(bytes: number, now: number): number | undefined {
    const { rate, queueTime } = this.#impairments;
    if (rate === undefined) return now;
    const waiting = Math.max(0, this.#freeAt - now);
    const sending = Math.ceil((bytes * 8_000_000) / rate);
    if (waiting > 0 && waiting + sending > queueTime) return undefined;
    this.#freeAt = now + waiting + sending;
    return this.#freeAt;
  }

  #isLostInBurst(): boolean {
    const { burst } = this.#impairments;
    if (burst === undefined) return false;
    if (this.#happens(this.#inBurst ? burst.end : burst.begin)) this.#inBurst = !this.#inBurst;
    return this.#inBurst && this.#happens(burst.loss);
  }

  get #chance(): SeededRandom {
    this.#random ??= this.#simulation.random.stream('wire').stream(this.#place).stream(String(this.#number));
    return this.#random;
  }

  #happens(threshold: number): boolean {
    return threshold > 0 && this.#chance.uint32() < threshold;
  }

  #drop(packet: Packet, reason: string): void {
    this.#simulation.log.dropped(this.#place, packet, reason);
  }
}

/** Times in microseconds, probabilities in 2^-32. */
interface Impairments {
  readonly latency: number;
  readonly jitter: number;
  readonly loss: number;
  readonly burst: { readonly begin: number; readonly end: number; readonly loss: number } | undefined;
  readonly reorder: number;
  readonly reorderDelay: number;
  readonly duplicate: number;
  /** Bits a second. */
  readonly rate: number | undefined;
  /** How long a packet waits at most, by the length of the queue. */
  readonly queueTime: number;
}

function impairmentsOf(spec: LinkSpec): Impairments {
  const { burstLoss, reorder, rate, queue = DEFAULT_QUEUE } = spec;
  return {
    latency: microseconds(spec.latency),
    jitter: microseconds(spec.jitter),
    loss: threshold(spec.loss),
    burst: burstLoss && {
      begin: threshold(burstLoss.begin),
      end: threshold(burstLoss.end),
      loss: threshold(burstLoss.loss ?? 1),
    },
    reorder: threshold(reorder?.share),
    reorderDelay: microseconds(reorder?.delay),
    duplicate: threshold(spec.duplicate),
    rate,
    queueTime: rate === undefined ? 0 : Math.floor((queue * 8_000_000) / rate),
  };
}

function microseconds(ms = 0): number {
  return Math.round(ms * 1_000);
}

function threshold(probability = 0): number {
  return Math.round(probability * 2 ** 32);
}

/** Bytes. */
const DEFAULT_QUEUE = 65_536;
