import type { PeerObserver } from '../index.ts';

/** One observer for two, of which either may be absent. */
export function bothObserve(one: PeerObserver | undefined, other: PeerObserver | undefined): PeerObserver | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    inspect(event) {
      one.inspect?.(event);
      other.inspect?.(event);
    },
    log(event, fields) {
      one.log?.(event, fields);
      other.log?.(event, fields);
    },
    reachability(reachability) {
      one.reachability?.(reachability);
      other.reachability?.(reachability);
    },
    signal(signal) {
      one.signal?.(signal);
      other.signal?.(signal);
    },
    packet(packet) {
      one.packet?.(packet);
      other.packet?.(packet);
    },
    pairs(connection, pairs) {
      one.pairs?.(connection, pairs);
      other.pairs?.(connection, pairs);
    },
    stats(connection, stats) {
      one.stats?.(connection, stats);
      other.stats?.(connection, stats);
    },
    verdict(connection, verdict) {
      one.verdict?.(connection, verdict);
      other.verdict?.(connection, verdict);
    },
  };
}
