import { sourceNetwork } from '../../core/source-network.ts';
import { createTokenBucket, type TokenBucket } from '../../core/token-bucket.ts';
import type { ServerLimits } from './server-limits.ts';

/**
 * Where clients come from, an IPv4 address or an IPv6 /64, and what all of them use together, so that one source cannot
 * take the whole of the server. Whoever makes or ends a connection, a client or a session counts it here.
 */
export interface ServerSource {
  halfOpen: number;
  clients: number;
  /** Opened by its clients as dialers. */
  sessions: number;
  standingBytes: number;
  readonly connections: TokenBucket;
  readonly wrongTokens: TokenBucket;
  readonly control: TokenBucket;
  readonly requests: TokenBucket;
  readonly relay: TokenBucket;
}

/** The sources that have connections, and as many others as `limits.sources` leaves room for. */
export interface ServerSources {
  readonly size: number;
  /**
   * The source of a numeric address, as it is remembered. `now` in ms. Throws `RangeError` on what is no numeric
   * address.
   */
  find(address: string, now: number): ServerSource;
}

export function createServerSources(limits: ServerLimits): ServerSources {
  /** In the order of their last use. */
  const sources = new Map<string, ServerSource>();

  /** Looks at the oldest first; one in use goes to the end, so that it is not looked at again soon. */
  function forgetOne(): void {
    let unseen = sources.size;
    for (const [key, source] of sources) {
      if (unseen-- === 0) return;
      sources.delete(key);
      if (source.halfOpen === 0 && source.clients === 0) return;
      sources.set(key, source);
    }
  }

  return {
    get size() {
      return sources.size;
    },
    find(address, now) {
      const key = sourceNetwork(address, 32);
      const source = sources.get(key) ?? createServerSource(limits, now);
      sources.delete(key);
      if (sources.size >= limits.sources) forgetOne();
      sources.set(key, source);
      return source;
    },
  };
}

export function createServerSource(limits: ServerLimits, now: number): ServerSource {
  return {
    halfOpen: 0,
    clients: 0,
    sessions: 0,
    standingBytes: 0,
    connections: createTokenBucket(limits.connectionsPerSource, now),
    wrongTokens: createTokenBucket(limits.wrongTokensPerSource, now),
    control: createTokenBucket(limits.controlPerSource, now),
    requests: createTokenBucket(limits.requestsPerSource, now),
    relay: createTokenBucket(limits.relayPerSource, now),
  };
}
