import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What this process spent while an attack went on, the attacker's share included: both live in it. */
export interface Cost {
  /** ms of the processor, on which whatever else the machine does has no bearing. */
  readonly time: number;
  /** MiB on the heap and off it above what was there before, at the worst moment that was seen; garbage counts. */
  readonly memory: number;
}

/** What `work` brings about is awaited. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  collectGarbage();
  const before = allocated();
  let most = before;
  const sample = (): void => {
    most = Math.max(most, allocated());
  };
  const sampling = setInterval(sample, SAMPLE_INTERVAL);
  const cpu = process.cpuUsage();
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  sample();
  const { user, system } = process.cpuUsage(cpu);
  return { time: (user + system) / 1000, memory: (most - before) / 2 ** 20 };
}

function allocated(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** ms. */
const SAMPLE_INTERVAL = 2;
