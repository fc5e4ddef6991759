import { sourceNetwork } from '../../core/source-network.ts';

export interface RateLimitOptions {
  /** Tokens a second and source network. */
  readonly rate: number;
  /** Tokens that a network can save up, at least 1. */
  readonly burst: number;
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
export function createRateLimit({ rate, burst, capacity }: RateLimitOptions): RateLimit {
  /** In the order of their last use. */
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    get size() {
      return buckets.size;
    },
    admit(address, now) {
      const network = sourceNetwork(address, 24);
      const bucket = buckets.get(network) ?? { tokens: burst, at: now };
      const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * rate) / 1000);
      const admitted = tokens >= 1;
      buckets.delete(network);
      buckets.set(network, { tokens: admitted ? tokens - 1 : tokens, at: now });
      if (buckets.size > capacity) buckets.delete(buckets.keys().next().value!);
      return admitted;
    },
  };
}
