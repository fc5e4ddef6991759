import { setImmediate } from 'node:timers/promises';
import type { ManualClock } from '../../manual-clock.ts';

/**
 * Moves the clock on by 1 ms at every turn of the event loop until `promise` has settled, so that what waits on the clock comes while
 * what goes over real sockets does, too. Fails after `limit` ms.
 */
export async function drive<T>(clock: ManualClock, promise: Promise<T>, limit = 30_000): Promise<T> {
  let settled = false;
  const end = (): void => {
    settled = true;
  };
  promise.then(end, end);
  for (let passed = 0; !settled; passed++) {
    if (passed > limit) throw new Error(`nothing came within ${limit} ms`);
    await setImmediate();
    clock.advance(1);
  }
  return promise;
}
