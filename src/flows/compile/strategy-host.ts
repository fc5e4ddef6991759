import type { StrategyInput, StrategyResult } from '../../core/strategy.ts';
import type { Strategy } from '../strategy.ts';
import type { AttemptCounts, StepInput } from './contract.ts';

/** Whoever runs strategies: gives each run its world, and takes it back. One serves all machines of a peer, by `step.id`. */
export interface StrategyHost {
  /** The input of one run. `signal` is aborted when the run is not wanted any more. What it throws is the run's failure. */
  begin(strategy: Strategy, step: StepInput, signal: AbortSignal): StrategyInput;
  /**
   * Called once for each `begin`, as soon as the run has ended or was abandoned (`ERR_ABORTED`): releases what it left open, and tells
   * what it cost.
   */
  end(step: StepInput, result: StrategyResult): AttemptCounts;
  /** Whether a path that a run has given is there. Asked of those that give paths, before `end`; default: it is. */
  stands?(step: StepInput, path: string): boolean;
  /**
   * A run of the strategy that goes on elsewhere, to be waited for instead of beginning one: two-sided strategies, where the other
   * side says when. Rejects, or is forgotten, when `signal` is aborted.
   */
  elsewhere?(strategy: Strategy, step: StepInput, signal: AbortSignal): Promise<StrategyResult> | undefined;
}
