import { createActor } from 'xstate';
import type { Clock } from '../core/clock.ts';
import type { StrategyResult } from '../core/strategy.ts';
import { createTokenBucket, type TokenBucket } from '../core/token-bucket.ts';
import { bindStrategies } from '../flows/compile/bind.ts';
import { type ComposedMachine, compose } from '../flows/compile/compose.ts';
import type { ComposedInput, StepOutput } from '../flows/compile/contract.ts';
import type { StrategyHost } from '../flows/compile/strategy-host.ts';
import type { Strategy, TwoSided } from '../flows/strategy.ts';
import type { Inspect } from '../machines/inspect.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Both sides of it agree on a direct path. */
export type TwoSidedStrategy = Strategy<'direct'> & { readonly twoSided: TwoSided };

export interface DeskHostOptions {
  /** All of the flow. */
  readonly strategies: readonly Strategy[];
  readonly host: StrategyHost;
  readonly clock: Clock;
  readonly inspect: Inspect | undefined;
}

/** What the desks of a peer's connections have in common: what they may start, and how much of it at a time. */
export interface DeskHost {
  /** Two-sided ones, by name. */
  readonly strategies: ReadonlyMap<string, TwoSidedStrategy>;
  /** Proposals that are looked at. */
  readonly proposals: TokenBucket;
  /**
   * Runs of vouched strategies, so that nobody can aim many runs of this peer at a third party. One of each role: two peers that dial each
   * other would else refuse each other for ever.
   */
  readonly vouchedTurns: { readonly dialer: OneAtATime; readonly listener: OneAtATime };
  /** Runs the strategy as an actor of its own. Gives what stops it; `onEnd` is not called then. */
  start(strategy: TwoSidedStrategy, input: DeskInput, onEnd: (result: StrategyResult<'direct'>) => void): () => void;
}

/** `id`: the connection's. */
export type DeskInput = Pick<ComposedInput, 'id' | 'facts'>;

export function createDeskHost(options: DeskHostOptions): DeskHost {
  return new ChartingHost(options);
}

/** Each strategy is run by a chart that has this one step. */
class ChartingHost implements DeskHost {
  readonly strategies: ReadonlyMap<string, TwoSidedStrategy>;
  readonly proposals: TokenBucket;
  readonly vouchedTurns = { dialer: new OneAtATime(), listener: new OneAtATime() };
  readonly #options: DeskHostOptions;
  /** Made when they are first proposed. */
  readonly #machines = new Map<string, ComposedMachine<'direct'>>();

  constructor(options: DeskHostOptions) {
    this.#options = options;
    this.strategies = new Map(options.strategies.filter(isTwoSided).map((strategy) => [strategy.name, strategy]));
    this.proposals = createTokenBucket(PROPOSALS, options.clock.now());
  }

  start(strategy: TwoSidedStrategy, input: DeskInput, onEnd: (result: StrategyResult<'direct'>) => void): () => void {
    const { clock, inspect } = this.#options;
    const actor = createActor(this.#machineOf(strategy), { input, clock, inspect, id: `${input.id} ${strategy.name}` });
    const subscription = actor.subscribe({
      error: (error) => onEnd({ ok: false, reason: String(error), code: 'ERR_PROTOCOL' }),
      next: ({ output }) => {
        if (output !== undefined) onEnd(resultOf(output));
      },
    });
    actor.start();
    return () => {
      subscription.unsubscribe();
      actor.stop();
    };
  }

  #machineOf(strategy: TwoSidedStrategy): ComposedMachine<'direct'> {
    const { host } = this.#options;
    const known = this.#machines.get(strategy.name);
    if (known !== undefined) return known;
    // Whoever is proposed to runs it here, and waits for nobody.
    const runner: StrategyHost = { begin: (...run) => host.begin(...run), end: (...run) => host.end(...run) };
    const machine = bindStrategies(compose('desk', { kind: 'strategy', strategy }), runner);
    this.#machines.set(strategy.name, machine);
    return machine;
  }
}

/** Of a chart of one strategy, whose name its reason need not tell. */
function resultOf(output: StepOutput<'direct'>): StrategyResult<'direct'> {
  if (output.ok) return { ok: true, path: output.path };
  const { attempts, reason, code } = output;
  return { ok: false, reason: attempts.at(-1)?.reason ?? reason, ...(code && { code }) };
}

function isTwoSided(strategy: Strategy): strategy is TwoSidedStrategy {
  return strategy.twoSided !== undefined;
}

/** For all connections of a peer: 16 at once, 16 in 10 s. */
const PROPOSALS = { rate: 1.6, burst: 16 };
