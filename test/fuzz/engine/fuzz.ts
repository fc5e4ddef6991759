import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededChance } from './chance.ts';
import { MAX_INPUT } from './mutate-bytes.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** How many inputs; absent: as many as there is time for. */
  readonly inputs?: number;
  /** ms; absent: until all inputs are done. */
  readonly time?: number;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly bytes: number;
  /** ms, and those of the slowest input. */
  readonly took: number;
  readonly slowest: number;
  /** Each kind of outcome, with the shortest input that had it. */
  readonly outcomes: ReadonlyMap<string, Uint8Array>;
  /** The first of each kind, at most {@link MAX_FINDINGS}. */
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly target: string;
  readonly reason: string;
  readonly input: Uint8Array;
  readonly seed: number;
  readonly iteration: number;
}

/**
 * Mutates and runs until inputs or time are up. With a number of inputs the same seed gives the same run. An input is a finding when the
 * target throws, or when it takes too much time or memory each of three times: a compiler or a collector may be at work once, and the
 * machine busy at any time, so that it is the processor's time that decides.
 */
export async function fuzz(
  target: Target,
  { seed, inputs = Infinity, time = Infinity }: FuzzOptions,
): Promise<FuzzReport> {
  const chance = seededChance(seed);
  const pool = [...target.seeds];
  const outcomes = new Map<string, Uint8Array>();
  const findings = new Map<string, Finding>();
  const began = performance.now();
  let [iteration, bytes, slowest, now] = [0, 0, 0, began];
  while (iteration < inputs && now - began < time && findings.size < MAX_FINDINGS) {
    const seeded = target.seeds[iteration];
    const input = seeded ?? target.mutate(chance.pick(pool), chance.pick(pool), chance).subarray(0, MAX_INPUT);
    const result = await judge(target, input, iteration % MEMORY_SAMPLE === 0);
    if ('reason' in result) {
      const kind = kindOf(result.reason);
      if (!findings.has(kind))
        findings.set(kind, { target: target.name, reason: result.reason, input, seed, iteration });
    } else {
      slowest = Math.max(slowest, result.took);
      const known = outcomes.get(result.outcome);
      if (known === undefined || input.length < known.length) {
        outcomes.set(result.outcome, input);
        if (pool.length < MAX_POOL && input.length <= MAX_POOLED) pool.push(input);
      }
    }
    iteration++;
    bytes += input.length;
    now = performance.now();
  }
  return {
    target: target.name,
    inputs: iteration,
    bytes,
    took: now - began,
    slowest,
    outcomes,
    findings: [...findings.values()],
  };
}

/** One line that brings the finding back. */
export function describeFinding({ target, reason, input, seed, iteration }: Finding): string {
  const hex = Buffer.from(input).toString('hex');
  return `${reason}\n  seed ${seed}, iteration ${iteration}: npm run fuzz -- --target ${target} --input ${hex || "''"}`;
}

export type Judgement = { readonly outcome: string; readonly took: number } | { readonly reason: string };

/** Runs one input under all bounds. */
export async function judge(target: Target, input: Uint8Array, measureMemory = true): Promise<Judgement> {
  for (let tries = 1; ; tries++) {
    if (tries > 1) collectGarbage(); // that of the last try would be taken off what this one takes
    const before = measureMemory ? allocated() : 0;
    const cpu = tries > 1 ? process.cpuUsage() : undefined;
    const began = performance.now();
    let outcome: string;
    try {
      const running = target.run(input);
      outcome = typeof running === 'string' ? running : await running;
    } catch (error) {
      return { reason: error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}` };
    }
    const took = performance.now() - began;
    const spent = cpu === undefined ? took : cpuTime(cpu);
    const grown = measureMemory ? allocated() - before : 0;
    const slow = spent > (target.maxTime ?? MAX_TIME) + input.length / BYTES_PER_MS;
    if (!slow && grown <= MAX_MEMORY) return { outcome, took };
    if (tries === 3)
      return { reason: slow ? `SLOW: ${spent.toFixed()} ms` : `LARGE: ${(grown / 2 ** 20).toFixed()} MiB` };
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** ms of the processor since then, on which others have no bearing. */
function cpuTime(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Bytes on and off the heap; garbage that is collected meanwhile only makes the difference smaller. */
function allocated(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** A message and the place that threw it, so that one fault makes one finding. */
export function kindOf(reason: string): string {
  const [message = '', place = ''] = reason.split('\n');
  return `${message.slice(0, 40).replaceAll(/\d+/g, '#')} ${place}`;
}

/** ms for one input, and a slowness that only what grows faster than its input gets beyond. */
const MAX_TIME = 50;
const BYTES_PER_MS = 4096;
/** Bytes that one input may make the code take, garbage included. */
const MAX_MEMORY = 64 * 2 ** 20;
const MEMORY_SAMPLE = 16;
const MAX_FINDINGS = 20;
/** Inputs that are mutated further, and bytes of each, so that they do not grow from one to the next. */
const MAX_POOL = 2048;
const MAX_POOLED = 4096;
