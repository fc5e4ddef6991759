import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { FIRST_CHANNEL, LAST_CHANNEL } from './channel-data.ts';
import { CHANNEL_LIFETIME } from './channels.ts';

/**
 * Which channel number a client uses for which peer. A peer that is bound again gets the number that it had; a number goes to
 * another peer 5 minutes after its binding has ended at the earliest (RFC 8656 section 12). `now` in ms.
 */
export class ChannelNumbers {
  /** By the peer's endpoint, in the order of their last use. */
  readonly #numbers = new Map<string, { readonly channel: number; freeAt: number }>();
  #next = FIRST_CHANNEL;

  /** `undefined` when all are in use. */
  take(peer: Endpoint, now: number): number | undefined {
    const key = formatEndpoint(peer);
    const channel = this.#numbers.get(key)?.channel ?? this.#unused() ?? this.#reusable(now);
    if (channel === undefined) return undefined;
    this.#numbers.delete(key);
    this.#numbers.set(key, { channel, freeAt: Number.POSITIVE_INFINITY });
    return channel;
  }

  /** The number is in use no longer; its binding was refreshed not later than now. */
  release(peer: Endpoint, now: number): void {
    const entry = this.#numbers.get(formatEndpoint(peer));
    if (entry !== undefined) entry.freeAt = now + CHANNEL_LIFETIME + QUARANTINE;
  }

  #unused(): number | undefined {
    return this.#next > LAST_CHANNEL ? undefined : this.#next++;
  }

  #reusable(now: number): number | undefined {
    for (const [key, { channel, freeAt }] of this.#numbers) {
      if (freeAt > now) continue;
      this.#numbers.delete(key);
      return channel;
    }
    return undefined;
  }
}

/** ms (RFC 8656 section 12). */
const QUARANTINE = 300_000;
