import type { NatBehavior } from '../core/nat-behavior.ts';
import type { Facts } from '../core/strategy.ts';
import { addScores, noScore, type Score, type ScoresJson } from './score.ts';
import { readScores, writeScores } from './scores-json.ts';

/** What has come of strategies, for each pair of NAT behaviours: theirs and ours decide most of what works. */
export interface Scores {
  /**
   * A run has ended. It does not count where a mapping is unknown. Filtering that nobody tested, as peers do not by themselves, is a kind of
   * its own.
   */
  note(behaviors: Facts['behaviors'], strategy: string, run: ScoredRun): void;
  /** `undefined` for what was never noted, and where a mapping is unknown. */
  of(behaviors: Facts['behaviors'], strategy: string): Score | undefined;
  /** What both know, as another one. The order of merging does not matter. */
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

  note(behaviors: Facts['behaviors'], strategy: string, { outcome, ms, packets }: ScoredRun): void {
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

/** `endpoint-independent/address-dependent x ..`, ours first; `undefined` where a mapping is unknown. */
function pairOf({ mine, theirs }: Facts['behaviors']): string | undefined {
  const [ours, others] = [sideOf(mine), sideOf(theirs)];
  return ours === undefined || others === undefined ? undefined : `${ours} x ${others}`;
}

function sideOf({ mapping, filtering }: NatBehavior): string | undefined {
  return mapping === 'unknown' ? undefined : `${mapping}/${filtering}`;
}
