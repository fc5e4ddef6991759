import type { Clock } from '../../core/clock.ts';

/** The longest delay that Node's timers take, in ms; a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Real time: the monotonic clock of the process, the wall clock of the system, and timers of any length. */
export function systemClock(): Clock {
  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    setTimeout(callback, delay) {
      const handle: SystemTimer = { timer: undefined };
      arm(handle, callback, delay);
      return handle;
    },
    clearTimeout: (handle: SystemTimer | undefined) => clearTimeout(handle?.timer),
  };
}

interface SystemTimer {
  timer: NodeJS.Timeout | undefined;
}

function arm(handle: SystemTimer, callback: () => void, delay: number): void {
  if (delay > LONGEST_DELAY) {
    handle.timer = setTimeout(() => arm(handle, callback, delay - LONGEST_DELAY), LONGEST_DELAY);
  } else {
    // Node cuts fractions off, and a protocol timer must not fire early.
    handle.timer = setTimeout(callback, Math.ceil(delay));
  }
}
