import type { Clock } from '../src/core/clock.ts';

/** Time that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`, firing timers in their order, those that they set included. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

export function manualClock(): ManualClock {
  interface Timer {
    readonly at: number;
    readonly callback: () => void;
  }
  /** The next one first; timers of one moment as they were set. */
  const timers: Timer[] = [];
  let now = 0;
  return {
    now: () => now,
    wallTime: () => WALL_TIME + now,
    setTimeout(callback, delay) {
      const timer: Timer = { at: now + delay, callback };
      const later = timers.findIndex(({ at }) => at > timer.at);
      timers.splice(later < 0 ? timers.length : later, 0, timer);
      return timer;
    },
    clearTimeout(timer: Timer) {
      const found = timers.indexOf(timer);
      if (found >= 0) timers.splice(found, 1);
    },
    advance(ms) {
      const end = now + ms;
      for (let timer = timers[0]; timer !== undefined && timer.at <= end; timer = timers[0]) {
        timers.shift();
        now = timer.at;
        timer.callback();
      }
      now = end;
    },
    get pending() {
      return timers.length;
    },
  };
}

/** 2023-11-14, 22:13:20 UTC. */
const WALL_TIME = 1_700_000_000_000;
