import { readdir } from 'node:fs/promises';
import { setTimeout as elapse } from 'node:timers/promises';

/** What a process holds, once garbage was collected. */
export interface Holding {
  /** Bytes of memory that the process occupies. */
  readonly rss: number;
  /** Bytes of JavaScript objects, the buffers behind them included. */
  readonly heap: number;
  /** Open file descriptors; -1 where the system has no `/proc`. */
  readonly fds: number;
}

/** Needs `--expose-gc`. */
export async function holding(): Promise<Holding> {
  // What finalizers release is garbage of the next round.
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await elapse(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const fds = await readdir('/proc/self/fd').then(
    (open) => open.length,
    () => -1,
  );
  return { rss, heap: heapUsed + external, fds };
}

/** User and system time of this process, as a share of the time that passes until `elapsed` fulfils. */
export async function load(elapsed: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await elapsed;
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - startedAt);
}
