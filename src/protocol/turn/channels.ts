import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';

/** ms (RFC 8656 section 12). */
export const CHANNEL_LIFETIME = 600_000;

/** The channels of an allocation (RFC 8656 section 12): one number a peer, one peer a number. `now` in ms. */
export class Channels {
  readonly #limit: number;
  readonly #byNumber = new Map<number, Binding>();
  /** By the peer's endpoint. */
  readonly #byPeer = new Map<string, Binding>();

  /** `limit`: how many there may be. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Binds or refreshes. `conflict`: one of the two is bound to another already. */
  bind(channel: number, peer: Endpoint, now: number): 'bound' | 'conflict' | 'full' {
    const key = formatEndpoint(peer);
    const [ofNumber, ofPeer] = [this.#valid(this.#byNumber.get(channel), now), this.#valid(this.#byPeer.get(key), now)];
    if (ofNumber !== ofPeer) return 'conflict';
    if (ofNumber !== undefined) {
      ofNumber.until = now + CHANNEL_LIFETIME;
      return 'bound';
    }
    if (this.#byNumber.size >= this.#limit) this.#sweep(now);
    if (this.#byNumber.size >= this.#limit) return 'full';
    const binding = { channel, peer, key, until: now + CHANNEL_LIFETIME };
    this.#byNumber.set(channel, binding);
    this.#byPeer.set(key, binding);
    return 'bound';
  }

  peerOf(channel: number, now: number): Endpoint | undefined {
    return this.#valid(this.#byNumber.get(channel), now)?.peer;
  }

  channelOf(peer: Endpoint, now: number): number | undefined {
    if (this.#byPeer.size === 0) return undefined;
    return this.#valid(this.#byPeer.get(formatEndpoint(peer)), now)?.channel;
  }

  /** The binding, unless its time is over: then it is forgotten. */
  #valid(binding: Binding | undefined, now: number): Binding | undefined {
    if (binding === undefined || binding.until > now) return binding;
    this.#byNumber.delete(binding.channel);
    this.#byPeer.delete(binding.key);
    return undefined;
  }

  #sweep(now: number): void {
    for (const binding of [...this.#byNumber.values()]) this.#valid(binding, now);
  }
}

interface Binding {
  readonly channel: number;
  readonly peer: Endpoint;
  readonly key: string;
  until: number;
}
