import type { NatBehavior } from '../core/nat-behavior.ts';
import type { Facts } from '../core/strategy.ts';
import { addScores, noScore, type Score, type ScoresJson } from './score.ts';
import { isPair, readScores, writeScores } from './scores-json.ts';
import { STRATEGY_NAME } from './strategy.ts';
import { fieldsOf, shown, usage, wholeNumber, wordOf } from './usage.ts';

/** What has come of strategies, for each pair of NAT behaviours: theirs and ours decide most of what works. */
export interface Scores {
  /**
   * A run has ended. It does not count where a mapping is unknown. Filtering that nobody tested, as peers do not by themselves, is a kind of
   * its own. Errors: `ERR_USAGE`, naming the field.
   */
  note(behaviors: Facts['behaviors'], strategy: string, run: ScoredRun): void;
  /** `undefined` for what was never noted, and where a mapping is unknown. */
  of(behaviors: Facts['behaviors'], strategy: string): Score | undefined;
  /** What both know, as another one. The order of merging does not matter. Errors: `ERR_USAGE`. */
  merge(other: Scores): Scores;
  /** Plain data for {@link createScores}; the same scores give the same text. */
  toJSON(): ScoresJson;
}

export interface ScoredRun {
  /** `abandoned`: something else was faster, or the connection ended; nobody knows what would have come of it. */
  readonly outcome: 'won' | 'failed' | 'abandoned';
  /** ms that it took. */
  readonly ms: number;
  /** Packets that it sent. */
  readonly packets: number;
}

/**
 * Empty, or from what `toJSON` gave, perhaps in another run of the program. Errors: `ERR_USAGE`, naming the field.
 *
 * ```ts
 * const scores = createScores(JSON.parse(await readFile('scores.json', 'utf8')));
 * const peer = await createPeer({ env, scores });
 * await writeFile('scores.json', JSON.stringify(scores));
 * ```
 */
export function createScores(json?: unknown): Scores {
  return new ScoreTable(json === undefined ? new Map() : readScores(json));
}

class ScoreTable implements Scores {
  /** By pair of behaviours, and by strategy. */
  readonly #pairs: Map<string, Map<string, Score>>;

  constructor(pairs: Map<string, Map<string, Score>>) {
    this.#pairs = pairs;
  }

  note(behaviors: Facts['behaviors'], strategy: string, run: ScoredRun): void {
    const { outcome, ms, packets } = checkedRun(strategy, run);
    const pair = pairOf(behaviors);
    if (pair === undefined) return;
    const won = outcome === 'won';
    this.#add(pair, strategy, {
      tries: outcome === 'abandoned' ? 0 : 1,
      wins: won ? 1 : 0,
      ms: won ? Math.round(ms) : 0,
      packets,
    });
  }

  of(behaviors: Facts['behaviors'], strategy: string): Score | undefined {
    const pair = pairOf(behaviors);
    return pair === undefined ? undefined : this.#pairs.get(pair)?.get(strategy);
  }

  merge(other: Scores): Scores {
    if (typeof Object(other).toJSON !== 'function') {
      throw usage('scores.merge', `${shown(other)} is no scores; use createScores(json)?`);
    }
    const merged = new ScoreTable(readScores(this.toJSON()));
    for (const [pair, strategies] of readScores(other.toJSON())) {
      for (const [strategy, score] of strategies) merged.#add(pair, strategy, score);
    }
    return merged;
  }

  toJSON(): ScoresJson {
    return writeScores(this.#pairs);
  }

  #add(pair: string, strategy: string, score: Score): void {
    const strategies = this.#pairs.get(pair) ?? new Map<string, Score>();
    this.#pairs.set(pair, strategies);
    strategies.set(strategy, addScores(strategies.get(strategy) ?? noScore, score));
  }
}

/** What could not be read again is not noted. */
function checkedRun(strategy: string, run: ScoredRun): ScoredRun {
  if (!STRATEGY_NAME.test(strategy)) throw usage('scores.note', `${shown(strategy)} is no name of a strategy`);
  const { outcome, ms, packets } = fieldsOf('scores.note', run, ['outcome', 'ms', 'packets']);
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) throw usage('scores.note: ms', `${shown(ms)} is no time`);
  wholeNumber('scores.note: packets', packets, 0, Number.MAX_SAFE_INTEGER);
  return { outcome: wordOf('scores.note: outcome', outcome, ['won', 'failed', 'abandoned']), ms, packets };
}

/**
 * `endpoint-independent/address-dependent x ..`, ours first; `undefined` where a mapping is unknown. Errors: `ERR_USAGE` for what is no
 * behaviour.
 */
function pairOf({ mine, theirs }: Facts['behaviors']): string | undefined {
  const [ours, others] = [sideOf(mine), sideOf(theirs)];
  if (ours === undefined || others === undefined) return undefined;
  const pair = `${ours} x ${others}`;
  if (isPair(pair)) return pair;
  throw usage('scores: behaviors', `${shown(pair)} is no pair that there is`);
}

function sideOf({ mapping, filtering }: NatBehavior): string | undefined {
  return mapping === 'unknown' ? undefined : `${mapping}/${filtering}`;
}
