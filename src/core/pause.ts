import type { Clock } from './clock.ts';

/** Fulfils `ms` later. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
