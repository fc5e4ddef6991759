import type { StrategyInput, StrategyResult } from '../../core/strategy.ts';
import type { AttemptCounts, StepInput, Strategy, StrategyHost } from '../../flows/index.ts';
import { TrialEnvironment, type TrialWorld } from './trial-environment.ts';

/** Runs one strategy, once. */
export class TrialHost implements StrategyHost {
  readonly #world: Omit<TrialWorld, 'signal' | 'facts'>;
  environment: TrialEnvironment | undefined;
  result: StrategyResult | undefined;

  constructor(world: Omit<TrialWorld, 'signal' | 'facts'>) {
    this.#world = world;
  }

  begin(_: Strategy, { facts }: StepInput, signal: AbortSignal): StrategyInput {
    this.environment = new TrialEnvironment({ ...this.#world, signal, facts });
    return { ...facts, env: this.environment };
  }

  end(_: StepInput, result: StrategyResult): AttemptCounts {
    this.result = result;
    return { startedAt: 0, endedAt: this.#world.clock.now() };
  }
}
