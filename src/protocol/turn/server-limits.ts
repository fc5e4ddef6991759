import type { Rate } from '../../core/token-bucket.ts';
import type { RateLimitOptions } from '../stun/index.ts';

/** What a TURN server lets clients have and do, each at least 1. */
export interface TurnServerLimits {
  readonly allocations: number;
  readonly allocationsPerUser: number;
  /** Of one source: an IPv4 address or an IPv6 /64. */
  readonly allocationsPerSource: number;
  /** Ports that are kept for those who hold a token, 30 s each. */
  readonly reservations: number;
  readonly permissionsPerAllocation: number;
  readonly channelsPerAllocation: number;
  /** Requests of a source network, an IPv4 /24 or an IPv6 /64; more are dropped unread. */
  readonly requests: RateLimitOptions;
  /** Bytes of data a second that an allocation relays, both ways together; more are dropped. */
  readonly relay: Rate;
  /** Seconds that an allocation can be asked to live for, at least 600. At most an hour is recommended (RFC 8656 section 7.2). */
  readonly maxLifetime: number;
  /** ms for which a nonce is good, at most an hour (RFC 8656 section 5). */
  readonly nonceLifetime: number;
}

export const defaultTurnServerLimits: TurnServerLimits = {
  allocations: 10_000,
  allocationsPerUser: 1_000,
  allocationsPerSource: 100,
  reservations: 1_000,
  permissionsPerAllocation: 100,
  channelsPerAllocation: 100,
  requests: { rate: 100, burst: 200, capacity: 65_536 },
  relay: { rate: 16 * 2 ** 20, burst: 2 * 2 ** 20 },
  maxLifetime: 3_600,
  nonceLifetime: 3_600_000,
};
