/** What a process uses, looked at from inside. */
export interface Usage {
  /** Resident memory in MiB: when the watch began, and the most since then. */
  readonly before: number;
  readonly peak: number;
  /** Share of a core since the watch began. */
  readonly cpu: number;
  /** Longest that the event loop was held up, in ms. */
  readonly stall: number;
}

/** Begins to watch this process; the function that it gives tells what it has used since. */
export function watchUsage(): () => Usage {
  const before = residentMiB();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let peak = before;
  let stall = 0;
  let lookedAt = startedAt;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB());
    const now = performance.now();
    stall = Math.max(stall, now - lookedAt - INTERVAL);
    lookedAt = now;
  }, INTERVAL);
  return () => {
    clearInterval(timer);
    const { user, system } = process.cpuUsage(cpu);
    return {
      before,
      peak: Math.max(peak, residentMiB()),
      cpu: (user + system) / 1_000 / (performance.now() - startedAt),
      stall,
    };
  };
}

function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

const INTERVAL = 20;
