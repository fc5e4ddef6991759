import type { Clock } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import { within } from '../../../core/within.ts';
import type { LeaseWish } from './port-lease.ts';

/** Ends leases that a failed call asked for: the gateway may have granted them, though nobody waits for that any more. */
export interface TakeBack {
  /** Goes on by itself, for `time` ms at most. */
  start(wish: LeaseWish, time: number, end: (signal: AbortSignal) => Promise<void>): void;
  /** Fulfils when none is under way. */
  settled(): Promise<void>;
}

export function createTakeBack({ clock, log }: { readonly clock: Clock; readonly log: Log }): TakeBack {
  const working = new Set<Promise<void>>();
  return {
    start({ protocol, externalPort }, time, end) {
      const work = within(clock, 'taking a mapping back', time, new AbortController().signal, end)
        .catch((error) => log('port-mapper.not-taken-back', { protocol, externalPort, error: String(error) }))
        .finally(() => working.delete(work));
      working.add(work);
    },
    async settled() {
      await Promise.all(working);
    },
  };
}
