import { TraversalError } from '../core/errors.ts';
import type { StrategyInput, StrategyResult } from '../core/strategy.ts';
import type { AttemptCounts, StepInput, Strategy, StrategyHost } from '../flows/index.ts';
import type { ConnectionServices } from './connection-services.ts';
import { pathEnvironment } from './path-environment.ts';
import { CountedRun } from './strategy-run.ts';

/** Runs the strategies of all connections of a peer; `runtimes` are those that have not ended, by connection id. */
export function createStrategyHost(
  runtimes: ReadonlyMap<string, { readonly services: ConnectionServices }>,
): StrategyHost {
  return new ConnectionStrategies(runtimes);
}

class ConnectionStrategies implements StrategyHost {
  readonly #runtimes: ReadonlyMap<string, { readonly services: ConnectionServices }>;
  /** Those under way, by what they were asked for. */
  readonly #runs = new Map<StepInput, CountedRun>();

  constructor(runtimes: ReadonlyMap<string, { readonly services: ConnectionServices }>) {
    this.#runtimes = runtimes;
  }

  begin(strategy: Strategy, step: StepInput): StrategyInput {
    const services = this.#runtimes.get(step.id)?.services;
    if (services === undefined) throw new TraversalError('ERR_CLOSED', 'the connection has ended');
    const account = services.accounts.open(strategy.bounds.packets, step.budgets);
    const run = new CountedRun(services, strategy, step, account);
    this.#runs.set(step, run);
    const { role, policy, local, remote, behaviors } = services.facts;
    return { role, policy, local, remote, behaviors, env: pathEnvironment(services, run) };
  }

  /** A listener's side of a two-sided strategy is run by its desk. */
  elsewhere(strategy: Strategy, step: StepInput, signal: AbortSignal): Promise<StrategyResult> | undefined {
    const services = this.#runtimes.get(step.id)?.services;
    if (strategy.twoSided === undefined || services?.role !== 'listener') return undefined;
    return services.negotiation.outcome(strategy, signal);
  }

  stands({ id }: StepInput, path: string): boolean {
    return this.#runtimes.get(id)?.services.link.table.has(path) ?? false;
  }

  end(step: StepInput, result: StrategyResult): AttemptCounts {
    const run = this.#runs.get(step);
    if (run === undefined) throw new Error(`no strategy runs at ${step.step}`);
    this.#runs.delete(step);
    return run.end(result);
  }
}
