import type { Clock } from '../../core/clock.ts';
import type { Session, SessionFactory } from '../../core/session.ts';
import { seededChance } from './bytes.ts';
import { standstill } from './waiting.ts';

/** One end of a pair: makes sessions for an identity whose public key the other end knows. */
export interface SessionPeer {
  readonly factory: SessionFactory;
  readonly publicKey: Uint8Array;
}

export interface SessionPair {
  readonly client: SessionPeer;
  readonly server: SessionPeer;
}

export interface LinkOptions {
  readonly clock: Clock;
  /** Seed of all chance. */
  readonly seed?: number;
  /** Shares of the packets, 0..1. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Held back by 1 to 5 ms, so that others overtake them. */
  readonly reorder?: number;
  /** One way, in ms. */
  readonly delay?: number;
  /** Keys that the ends expect, where not each other's. */
  readonly clientExpects?: Uint8Array;
  readonly serverExpects?: Uint8Array;
}

/** A client and a server session with a packet carrier between them that can be made bad. */
export class SessionLink {
  readonly client: Session;
  readonly server: Session;
  /** All packets handed to the carrier, lost ones too. */
  carried = 0;
  /** Share of the packets that is lost, 0..1. */
  loss: number;
  /** While true, nothing gets through. */
  blackHole = false;
  /** Sees every packet that is carried, before it may be lost. */
  onPacket: (packet: Uint8Array) => void = () => {};
  readonly #options: LinkOptions;
  readonly #chance: () => number;

  constructor(pair: SessionPair, options: LinkOptions) {
    this.#options = options;
    this.loss = options.loss ?? 0;
    this.#chance = seededChance(options.seed ?? 1);
    this.server = pair.server.factory.create({
      role: 'server',
      expectedKey: options.serverExpects ?? pair.client.publicKey,
      transmit: (packet) => this.#carry(packet, () => this.client),
    });
    this.client = pair.client.factory.create({
      role: 'client',
      expectedKey: options.clientExpects ?? pair.server.publicKey,
      transmit: (packet) => this.#carry(packet, () => this.server),
    });
  }

  async established(): Promise<this> {
    await Promise.all([this.client.established, this.server.established]);
    return this;
  }

  /** Fulfils when nothing has been carried for `ms`. */
  quiet(ms = 50): Promise<void> {
    return standstill(this.#options.clock, () => this.carried, ms);
  }

  close(): void {
    this.client.close();
    this.server.close();
  }

  #carry(packet: Uint8Array, to: () => Session): void {
    this.carried++;
    this.onPacket(packet);
    const { clock, duplicate = 0, reorder = 0, delay = 0 } = this.#options;
    if (this.blackHole || this.#chance() < this.loss) return;
    const copies = this.#chance() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = Uint8Array.from(packet);
      const late = delay + (this.#chance() < reorder ? 1 + 4 * this.#chance() : 0);
      if (late === 0) queueMicrotask(() => to().receive(copy));
      else clock.setTimeout(() => to().receive(copy), late);
    }
  }
}
