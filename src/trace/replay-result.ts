/** What came of a replay. */
export interface ReplayResult {
  /** Records that were compared, up to where the trace differs. */
  readonly records: number;
  /** The first line at which the replay and the trace differ. */
  readonly differs?: Difference;
}

export interface Difference {
  /** Number of the line in the trace; 1 is the header. */
  readonly line: number;
  /** What the trace says; `undefined`: it has ended. */
  readonly expected: string | undefined;
  /** What the replay says instead; `undefined`: nothing. */
  readonly got: string | undefined;
}
