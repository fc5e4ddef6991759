import type { Remains } from './driver.ts';
import type { ModelSnapshot } from './model-paths.ts';
import type { Observation } from './sight.ts';
import type { TraversalModel } from './traversal-model.ts';

/** What must hold at every moment of every run, whatever happens. */
export interface Invariant {
  /** A short statement: `at most one winner`. */
  readonly name: string;
  /** How it is broken, in a sentence; `undefined` where it holds. */
  check(moment: Moment): string | undefined;
}

/** What an invariant is asked about. */
export interface Moment {
  /** With the driver of the run. */
  readonly model: TraversalModel;
  /** Where the model is. */
  readonly snapshot: ModelSnapshot;
  readonly observation: Observation;
  /** Whether time has passed until nothing changed any more. */
  readonly atRest: boolean;
  /** Once both peers have been closed: what they have not released. */
  readonly remains?: Remains;
}
