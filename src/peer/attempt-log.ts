import type { Attempt } from '../core/verdict.ts';
import type { StepAttempt } from '../flows/index.ts';

/** What a connection has tried, for its verdict: the latest {@link MAX_ATTEMPTS}. */
export class AttemptLog {
  readonly #entries: Entry[] = [];

  /**
   * In the order in which they ended. What a desk has run is told by its runs alone, and not by the steps that waited for them. `closedAt`: in
   * ms since the start of the connection; what ran from then on is left out.
   */
  list(closedAt = Number.POSITIVE_INFINITY): readonly Attempt[] {
    const atDesk = new Set(this.#entries.filter(isOfDesk).map(({ attempt }) => attempt.strategy));
    return this.#entries
      .filter(({ hasRun, attempt }) => (hasRun ? attempt.startedAt <= closedAt : !atDesk.has(attempt.strategy)))
      .map(({ attempt, note }) => ({ ...attempt, reason: `${attempt.reason}${note}` }));
  }

  /**
   * A run of a strategy has ended. `step`: the path of its state; `note`: what its host adds to the reason; `abandoned`: the reason is known
   * to its machine alone.
   */
  add(step: string, attempt: Attempt, { note = '', abandoned = false } = {}): void {
    this.#push({ step, attempt, note, abandoned, hasRun: true });
  }

  /** What a machine knows of strategies that it abandoned, skipped, or had run by others: its context, or its output. */
  note(machine: unknown, now: number): void {
    const { attempts = [] } = (machine ?? {}) as { readonly attempts?: readonly StepAttempt[] };
    for (const { step, strategy, ok, reason, startedAt, code } of attempts) {
      if (startedAt !== undefined) continue;
      const abandoned = this.#entries.find((entry) => entry.abandoned && entry.step === step);
      if (abandoned !== undefined) explain(abandoned, reason);
      else {
        // What was run here was told when it was abandoned.
        const cause = code === 'ERR_TIMEOUT' ? ': the other side did not propose it' : '';
        const attempt = { strategy, ok, reason: `${reason}${cause}`, startedAt: now, endedAt: now };
        this.#push({ step, attempt, note: '', abandoned: false, hasRun: false });
      }
    }
  }

  /** Why the desk has abandoned a run of the strategy, or its chart did. */
  explainAtDesk(strategy: string, reason: string): void {
    const abandoned = this.#entries.find(
      (entry) => entry.abandoned && isOfDesk(entry) && entry.attempt.strategy === strategy,
    );
    if (abandoned !== undefined) explain(abandoned, reason);
  }

  /** The desk has declined to run the strategy. Said once, however often it was proposed. */
  refuse(strategy: string, reason: string, now: number): void {
    const isSaid = this.#entries.some((entry) => isOfDesk(entry) && sameReason(entry, strategy, reason));
    if (!isSaid) this.add(`${DESK}.${strategy}`, { strategy, ok: false, reason, startedAt: now, endedAt: now });
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ATTEMPTS) this.#entries.shift();
  }
}

/** The chart by which a listener's desk runs a strategy that was proposed to it. */
export const DESK = 'desk';

const MAX_ATTEMPTS = 64;

interface Entry {
  readonly step: string;
  attempt: Attempt;
  readonly note: string;
  abandoned: boolean;
  /** Or was skipped, or waited for what others ran. */
  readonly hasRun: boolean;
}

function isOfDesk({ step }: Entry): boolean {
  return step.startsWith(`${DESK}.`);
}

function sameReason({ attempt }: Entry, strategy: string, reason: string): boolean {
  return attempt.strategy === strategy && attempt.reason === reason;
}

function explain(entry: Entry, reason: string): void {
  entry.attempt = { ...entry.attempt, reason };
  entry.abandoned = false;
}
