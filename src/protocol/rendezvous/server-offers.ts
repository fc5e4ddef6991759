import type { ServerLimits } from './server-limits.ts';
import type { ServerSource } from './server-source.ts';

/**
 * What listeners are offered, shared fairly: a source may offer one listener no more than it leaves to all others. So
 * `n` sources that offer as fast as they can leave a share of 1 / (n + 1) to the next one, and a few cannot shut a
 * listener off.
 */
export interface ServerOffers {
  /**
   * Counts an offer to this listener's key; false, and nothing is counted, when its source has had its share. `now` in
   * ms.
   */
  take(listenerKey: string, source: ServerSource, now: number): boolean;
}

/** Counts anew every {@link OFFERS_PERIOD}; remembers no more than the offers of one period. */
export function createServerOffers({ offersPerListener }: ServerLimits): ServerOffers {
  let offered = new Map<string, { all: number; readonly of: Map<ServerSource, number> }>();
  let since = Number.NEGATIVE_INFINITY;
  return {
    take(listenerKey, source, now) {
      if (now - since >= OFFERS_PERIOD) {
        offered = new Map();
        since = now;
      }
      const counts = offered.get(listenerKey) ?? { all: 0, of: new Map() };
      const mine = counts.of.get(source) ?? 0;
      if (mine >= offersPerListener - counts.all) return false;
      counts.all++;
      counts.of.set(source, mine + 1);
      offered.set(listenerKey, counts);
      return true;
    },
  };
}

/** ms. */
const OFFERS_PERIOD = 10_000;
