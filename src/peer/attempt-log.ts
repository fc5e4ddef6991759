import type { Attempt } from '../core/verdict.ts';
import type { StepAttempt } from '../flows/index.ts';

/** What a connection has tried, for its verdict: the latest {@link MAX_ATTEMPTS}. */
export class AttemptLog {
  readonly #entries: Entry[] = [];

  /** In the order in which they ended. */
  get list(): readonly Attempt[] {
    return this.#entries.map(({ attempt, note }) => ({ ...attempt, reason: `${attempt.reason}${note}` }));
  }

  /**
   * A run of a strategy has ended. `step`: the path of its state; `note`: what its host adds to the reason; `abandoned`: the reason is known
   * to its machine alone.
   */
  add(step: string, attempt: Attempt, { note = '', abandoned = false } = {}): void {
    this.#entries.push({ step, attempt, note, abandoned });
    if (this.#entries.length > MAX_ATTEMPTS) this.#entries.shift();
  }

  /** What a machine knows of strategies that it abandoned, skipped, or had run by others: its context, or its output. */
  note(machine: unknown, now: number): void {
    const { attempts = [] } = (machine ?? {}) as { readonly attempts?: readonly StepAttempt[] };
    for (const { step, strategy, ok, reason, startedAt } of attempts) {
      if (startedAt !== undefined) continue;
      const abandoned = this.#entries.find((entry) => entry.abandoned && entry.step === step);
      if (abandoned === undefined) {
        this.add(step, { strategy, ok, reason, startedAt: now, endedAt: now });
      } else {
        abandoned.attempt = { ...abandoned.attempt, reason };
        abandoned.abandoned = false;
      }
    }
  }
}

const MAX_ATTEMPTS = 64;

interface Entry {
  readonly step: string;
  attempt: Attempt;
  readonly note: string;
  abandoned: boolean;
}
