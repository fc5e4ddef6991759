import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { ChannelNumbers } from './channel-numbers.ts';
import { PERMISSION_LIFETIME } from './permissions.ts';

/** A permission, or a channel with its permission, that a client keeps for a peer. */
export interface KeptPeer {
  readonly peer: Endpoint;
  /** Of the channel; `undefined` for a permission alone. */
  readonly channel: number | undefined;
  /** Confirmed by the server at least once. */
  confirmed: boolean;
  /** When it is to be asked for next, in ms; infinite while a request is under way. */
  dueAt: number;
}

/** The permissions and channels of a client. `now` in ms. */
export class KeptPeers {
  /** By the peer's address for permissions, by its endpoint for channels. */
  readonly #kept = new Map<string, KeptPeer>();
  readonly #byChannel = new Map<number, KeptPeer>();
  /** When the permission of an address ends at the server. */
  readonly #permittedUntil = new Map<string, number>();
  readonly #numbers = new ChannelNumbers();

  /** Keeps a permission from now on. */
  permit(peer: Endpoint, now: number): void {
    this.#add(peer.address, { peer, channel: undefined, confirmed: false, dueAt: now });
  }

  /** Keeps a channel from now on; a permission alone, when no channel is left. */
  bind(peer: Endpoint, now: number): void {
    const key = formatEndpoint(peer);
    if (this.#kept.has(key)) return;
    const channel = this.#numbers.take(peer, now);
    if (channel === undefined) this.permit(peer, now);
    else this.#add(key, { peer, channel, confirmed: false, dueAt: now });
  }

  /** Keeps neither any longer. */
  forget(peer: Endpoint, now: number): void {
    for (const key of [peer.address, formatEndpoint(peer)]) {
      const kept = this.#kept.get(key);
      if (kept !== undefined) this.drop(kept, now);
    }
  }

  drop(kept: KeptPeer, now: number): void {
    this.#kept.delete(keyOf(kept));
    if (kept.channel === undefined) return;
    this.#byChannel.delete(kept.channel);
    this.#numbers.release(kept.peer, now);
  }

  /** The server has confirmed; true when it was for the first time. */
  confirm(kept: KeptPeer, now: number): boolean {
    // Forgotten in the meantime: it ends by itself.
    if (this.#kept.get(keyOf(kept)) !== kept) return false;
    const isFirst = !kept.confirmed;
    kept.confirmed = true;
    kept.dueAt = now + REFRESH_INTERVAL;
    for (const [address, until] of this.#permittedUntil) if (until <= now) this.#permittedUntil.delete(address);
    this.#permittedUntil.set(kept.peer.address, now + PERMISSION_LIFETIME);
    return isFirst;
  }

  isPermitted({ address }: Endpoint, now: number): boolean {
    return (this.#permittedUntil.get(address) ?? now) > now;
  }

  /** The channel to send by, once the server has confirmed it. */
  channelTo(peer: Endpoint): number | undefined {
    const kept = this.#kept.get(formatEndpoint(peer));
    return kept?.confirmed ? kept.channel : undefined;
  }

  /** Whose channel it is: also before the server has confirmed it, since data may overtake that (RFC 8656 section 12). */
  peerOf(channel: number): Endpoint | undefined {
    return this.#byChannel.get(channel)?.peer;
  }

  /** Those to be asked for now. */
  due(now: number): readonly KeptPeer[] {
    return [...this.#kept.values()].filter(({ dueAt }) => dueAt <= now);
  }

  /** When one is to be asked for next. */
  get nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#kept.values()) next = Math.min(next, dueAt);
    return next;
  }

  #add(key: string, kept: KeptPeer): void {
    if (this.#kept.has(key)) return;
    this.#kept.set(key, kept);
    if (kept.channel !== undefined) this.#byChannel.set(kept.channel, kept);
  }
}

function keyOf({ peer, channel }: KeptPeer): string {
  return channel === undefined ? peer.address : formatEndpoint(peer);
}

/**
 * ms. A channel is refreshed as often as its permission needs it, by the same request: it would last for 10 minutes, the
 * permission lasts for 5, and a request may take 39.5 s.
 */
const REFRESH_INTERVAL = 240_000;
