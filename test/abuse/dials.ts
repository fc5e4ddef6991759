/** Connections that a bystander has made anew, one after the other. Times in ms. */
export interface Dials {
  readonly made: number;
  /** What became of those that were not made. */
  readonly failures: readonly string[];
  /** `NaN` when none was made. */
  readonly p50: number;
  readonly max: number;
}

/** Dials, `interval` ms after the dial before was through, until `ended` fulfils; the last one is waited for. */
export async function measureDials(options: {
  readonly ended: Promise<unknown>;
  readonly interval: number;
  /** Fulfils once the other side has answered. */
  readonly dial: () => Promise<void>;
}): Promise<Dials> {
  const times: number[] = [];
  const failures: string[] = [];
  let isOver = false;
  const ended = options.ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const startedAt = performance.now();
    try {
      await options.dial();
      times.push(performance.now() - startedAt);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, options.interval))]);
  }
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { made: sorted.length, failures, p50: at(0.5), max: at(1) };
}
