import type { Clock } from '../../core/clock.ts';

/** Fulfils after `ms`. */
export function elapse(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

/** Fulfils when `count` has stood still for `ms`. */
export async function standstill(clock: Clock, count: () => number, ms: number): Promise<void> {
  for (let before = count(); ; before = count()) {
    await elapse(clock, ms);
    if (count() === before) return;
  }
}

/** Fulfils when `condition` holds, which is asked for at once and every 5 ms. */
export async function until(clock: Clock, condition: () => boolean): Promise<void> {
  while (!condition()) await elapse(clock, 5);
}
