/** A machine as it is drawn: plain data, states and edges in the order of the code. */
export interface ChartDefinition {
  readonly id: string;
  /** The machine itself; its id is ''. */
  readonly root: ChartState;
}

export interface ChartState {
  /** The keys from below the root to it, joined by dots: `connected.path.direct`. */
  readonly id: string;
  /** Its name in its parent; of the root that of the machine. */
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  /** Id of the child that is entered first, of a compound one. */
  readonly initial?: string;
  /** Names of actions. */
  readonly entry?: readonly string[];
  readonly exit?: readonly string[];
  readonly tags?: readonly string[];
  /** Names of the actors that run while the state is active. */
  readonly invoke?: readonly string[];
  /** An edge goes by `id#index`. */
  readonly edges: readonly ChartEdge[];
  readonly states: readonly ChartState[];
}

export interface ChartEdge {
  /** Type of the event; `''`: as soon as the guard holds; `after`: when the delay is over. */
  readonly event: string;
  /** Name of the delay, or `500 ms`. */
  readonly delay?: string;
  /** As in the code: `hasDirect`, `and(hasPath, not(peerGone))`. */
  readonly guard?: string;
  /** Ids of states; none: the actions alone. */
  readonly targets: readonly string[];
  readonly actions?: readonly string[];
  readonly description?: string;
}
