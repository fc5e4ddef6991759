import { sourceNetwork } from '../../core/source-network.ts';
import { createTokenBucket, type Rate, type TokenBucket } from '../../core/token-bucket.ts';

/** Requests a second of one source network, and how many it can save up, at least 1. */
export interface RateLimitOptions extends Rate {
  /** Networks remembered at once, at least 1; beyond, the one not heard of for longest is forgotten. */
  readonly capacity: number;
}

export interface RateLimit {
  /** Takes a token of the address's network; false when it has none left. `now` in ms, never going back. */
  admit(address: string, now: number): boolean;
  /** Networks remembered. */
  readonly size: number;
}

/** Token buckets by source network, an IPv4 /24 or an IPv6 /64, in bounded memory. */
export function createRateLimit({ capacity, ...rate }: RateLimitOptions): RateLimit {
  /** In the order of their last use. */
  const buckets = new Map<string, TokenBucket>();
  return {
    get size() {
      return buckets.size;
    },
    admit(address, now) {
      const network = sourceNetwork(address, 24);
      const bucket = buckets.get(network) ?? createTokenBucket(rate, now);
      buckets.delete(network);
      buckets.set(network, bucket);
      if (buckets.size > capacity) buckets.delete(buckets.keys().next().value!);
      return bucket.take(1, now);
    },
  };
}
