import type { Clock } from '../../core/clock.ts';
import { pause } from '../../core/pause.ts';

/** Fulfils when `count` has stood still for `ms`. */
export async function standstill(clock: Clock, count: () => number, ms: number): Promise<void> {
  for (let before = count(); ; before = count()) {
    await pause(clock, ms);
    if (count() === before) return;
  }
}

/** Fulfils when `condition` holds, which is asked for at once and every 5 ms; rejects when it does not within `limit` ms. */
export async function until(clock: Clock, condition: () => boolean, limit = 10_000): Promise<void> {
  const latest = clock.now() + limit;
  while (!condition()) {
    if (clock.now() > latest) throw new Error(`what is waited for has not come within ${limit} ms`);
    await pause(clock, 5);
  }
}
