/** What has come of one strategy between two behaviours, all its runs together. */
export interface Score {
  /** Runs that came to their end. */
  readonly tries: number;
  readonly wins: number;
  /** ms that the wins took together. */
  readonly ms: number;
  /** Packets that all runs sent together, those included that were abandoned. */
  readonly packets: number;
}

/** As it is written. */
export interface ScoresJson {
  readonly version: 1;
  /** By pair of behaviours (mapping/filtering x mapping/filtering, ours first), then by strategy. */
  readonly pairs: Readonly<Record<string, Readonly<Record<string, Score>>>>;
}

export const noScore: Score = { tries: 0, wins: 0, ms: 0, packets: 0 };

/** Never more than what JSON tells exactly, so that the order of additions does not matter. */
export function addScores(a: Score, b: Score): Score {
  return {
    tries: add(a.tries, b.tries),
    wins: add(a.wins, b.wins),
    ms: add(a.ms, b.ms),
    packets: add(a.packets, b.packets),
  };
}

function add(a: number, b: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, a + b);
}
