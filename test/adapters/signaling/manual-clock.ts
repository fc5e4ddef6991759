import type { Clock } from '../../../src/core/clock.ts';

/** Time that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves on, firing timers in their order, those that they set included. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

export function manualClock(): ManualClock {
  interface Timer {
    readonly at: number;
    readonly callback: () => void;
  }
  const timers = new Set<Timer>();
  let now = 0;
  /** Sets keep the order of insertion, and sorting is stable: timers of one moment fire as they were set. */
  const nextUntil = (end: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    wallTime: () => 1_700_000_000_000 + now,
    setTimeout(callback, delay) {
      const timer: Timer = { at: now + delay, callback };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (timer: Timer) => timers.delete(timer),
    advance(ms) {
      const end = now + ms;
      for (let timer = nextUntil(end); timer !== undefined; timer = nextUntil(end)) {
        timers.delete(timer);
        now = timer.at;
        timer.callback();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
