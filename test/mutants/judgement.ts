/** What gave a fault away. */
export interface Catch {
  /**
   * `path`: a generated path; `random`: a random sequence; `coverage`: all paths went well, and did not reach all that they reach without
   * the fault; `crash`: the process ended; `time`: it came to no end.
   */
  readonly by: 'path' | 'random' | 'coverage' | 'crash' | 'time';
  /** The first of all that failed. */
  readonly where: string;
  /** What was wrong, in a sentence. */
  readonly reason: string;
}

/** What the judge says of a tree. */
export interface Judgement {
  /** `null`: all went well. */
  readonly caught: Catch | null;
  /** Parts of the charts that no path reached, where all paths went well. */
  readonly missing: readonly string[];
}

/** What came of one mutant. */
export interface Outcome {
  readonly id: string;
  readonly caught: Catch | null;
  /** That it took, on a machine that had other things to do. */
  readonly seconds: number;
}
