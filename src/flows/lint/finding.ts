/** Something in a flow that may go wrong. */
export interface Finding {
  readonly rule: LintRule;
  /** Slot and path of states, as in `punch.race.checks.checks`. */
  readonly where: string;
  /** A sentence for people: what is wrong, and what would mend it. */
  readonly message: string;
}

export type LintRule =
  /** The policy counts on a relayed path that no step, or none for sure, would open; or no policy lets it be opened. */
  | 'fallback-unreachable'
  /** Nothing ends the step. */
  | 'unbounded-time'
  /** Nothing limits what the step sends. */
  | 'unbounded-packets'
  /** A state that is not final and that nothing leaves; also inside of machines of strategies. */
  | 'dead-end'
  /** Something was given by `provide()` that nothing asks for. */
  | 'unused'
  /** A run left sockets open. */
  | 'sockets-kept'
  /** A run left more than one path. */
  | 'two-winners';
