import type { Random } from '../core/random.ts';
import type { Facts, StrategyResult } from '../core/strategy.ts';
import { type Advice, type AttemptCounts, adviseRaces, type Scores, type Step, type Strategy } from '../flows/index.ts';

export interface ScoringOptions {
  readonly scores: Scores;
  /** Whose races are ordered. */
  readonly punch: Step<'direct'>;
  readonly random: Random;
}

/** Keeps the scores of a peer: what its connections try to get a direct path, and what comes of it. */
export class Scoring {
  readonly #options: ScoringOptions;

  constructor(options: ScoringOptions) {
    this.#options = options;
  }

  /** For a round of punching that begins. */
  advise({ behaviors }: Facts): Advice {
    const { scores, punch, random } = this.#options;
    return adviseRaces(scores, punch, behaviors, random);
  }

  /** A run has ended. */
  note({ behaviors }: Facts, { name, gives, bounds }: Strategy, result: StrategyResult, counts: AttemptCounts): void {
    if (gives !== 'direct') return;
    const ms = counts.endedAt - counts.startedAt;
    // Whose time is over is abandoned, too.
    const abandoned = !result.ok && TELLS_NOTHING.has(result.code) && ms < bounds.time;
    const outcome = result.ok ? 'won' : abandoned ? 'abandoned' : 'failed';
    this.#options.scores.note(behaviors, name, { outcome, ms, packets: counts.sent ?? 0 });
  }
}

/** How runs end whatever stands between the two sides. */
const TELLS_NOTHING: ReadonlySet<unknown> = new Set([
  'ERR_ABORTED',
  'ERR_BUSY',
  'ERR_CLOSED',
  'ERR_DECLINED',
  'ERR_NOT_AVAILABLE',
]);
