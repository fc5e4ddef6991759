import type { Catch, Judgement, Outcome } from './judgement.ts';
import type { Mutant } from './mutant.ts';
import { type JudgingOptions, Workshop } from './workshop.ts';

export interface RunOptions {
  /** Judges at the same time. */
  readonly atOnce: number;
  readonly judging: JudgingOptions;
  /** Aborted: judges are stopped, and copies of the source removed. */
  readonly signal: AbortSignal;
  readonly onOutcome: (outcome: Outcome) => void;
}

/**
 * Has the source judged with each fault, and once without any. Errors: an `Error` where something is found without a fault; those of
 * `plant`; the signal's reason.
 */
export async function runMutants(mutants: readonly Mutant[], options: RunOptions): Promise<void> {
  const { atOnce, judging, signal } = options;
  signal.throwIfAborted();
  const shops = Array.from({ length: atOnce }, () => new Workshop());
  const close = (): void => {
    for (const shop of shops) shop[Symbol.dispose]();
  };
  signal.addEventListener('abort', close);
  const [first, ...others] = shops;
  const faultless = first!.judge(judging).then(({ caught, missing }) => {
    signal.throwIfAborted();
    if (caught !== null) throw new Error(`without any fault: ${caught.where}: ${caught.reason}`);
    return missing;
  });
  const waiting = [...mutants];
  const work = async (shop: Workshop): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const startedAt = performance.now();
      const judgement = await shop.try(next, judging);
      signal.throwIfAborted();
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      const caught = judgement.caught ?? unreached(judgement, await faultless);
      options.onOutcome({ id: next.id, caught, seconds });
    }
  };
  try {
    await Promise.all([faultless.then(() => work(first!)), ...others.map(work)]);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

/** All went well, but something was not reached that is reached without the fault. */
function unreached({ missing }: Judgement, known: readonly string[]): Catch | null {
  const reason = missing.find((part) => !known.includes(part));
  return reason === undefined ? null : { by: 'coverage', where: 'all paths', reason };
}
