import { createActor } from 'xstate';
import type { Clock } from '../core/clock.ts';
import type { StrategyResult } from '../core/strategy.ts';
import { createTokenBucket, type TokenBucket } from '../core/token-bucket.ts';
import { bindStrategies } from '../flows/compile/bind.ts';
import { type ComposedMachine, compose } from '../flows/compile/compose.ts';
import type { ComposedInput, StepOutput } from '../flows/compile/contract.ts';
import type { StrategyHost } from '../flows/compile/strategy-host.ts';
import type { Step } from '../flows/step.ts';
import type { Strategy, TwoSided } from '../flows/strategy.ts';
import { packetBounds, strategiesOf } from '../flows/walk.ts';
import type { Inspect } from '../machines/inspect.ts';
import { DESK } from './attempt-log.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Both sides of it agree on a direct path. */
export type TwoSidedStrategy = Strategy<'direct'> & { readonly twoSided: TwoSided };

export interface DeskHostOptions {
  /** Those of the flow that make direct paths. */
  readonly punch: Step<'direct'>;
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
  readonly #composed: ReadonlyMap<TwoSidedStrategy, ComposedMachine<'direct'>>;
  /** Bound to this peer, when they are first proposed. */
  readonly #machines = new Map<TwoSidedStrategy, ComposedMachine<'direct'>>();

  constructor(options: DeskHostOptions) {
    this.#options = options;
    this.#composed = machinesOf(options.punch);
    this.strategies = new Map(Array.from(this.#composed.keys(), (strategy) => [strategy.name, strategy]));
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
    const known = this.#machines.get(strategy);
    if (known !== undefined) return known;
    // Whoever is proposed to runs it here, and waits for nobody.
    const runner: StrategyHost = {
      begin: (...run) => host.begin(...run),
      stands: (...path) => host.stands?.(...path) ?? true,
      end: (...run) => host.end(...run),
    };
    const machine = bindStrategies(this.#composed.get(strategy)!, runner);
    this.#machines.set(strategy, machine);
    return machine;
  }
}

/**
 * A chart for each two-sided strategy, which runs it outside of the races around it and within what these allow. Made once a flow, and not
 * while a chart acts, which XState takes for a mistake.
 */
function machinesOf(punch: Step<'direct'>): ReadonlyMap<TwoSidedStrategy, ComposedMachine<'direct'>> {
  const known = composed.get(punch);
  if (known !== undefined) return known;
  const most = packetBounds(punch);
  const twoSided = strategiesOf(punch).filter(isTwoSided);
  const machines = new Map(
    twoSided.map((own): [TwoSidedStrategy, ComposedMachine<'direct'>] => {
      const strategy = { ...own, bounds: { ...own.bounds, packets: most.get(own.name)! } };
      return [strategy, compose(DESK, { kind: 'strategy', strategy })];
    }),
  );
  composed.set(punch, machines);
  return machines;
}

const composed = new WeakMap<Step<'direct'>, ReadonlyMap<TwoSidedStrategy, ComposedMachine<'direct'>>>();

/** Of a chart of one strategy, whose name its reason need not tell. */
function resultOf(output: StepOutput<'direct'>): StrategyResult<'direct'> {
  if (output.ok) return { ok: true, path: output.path };
  const { attempts, reason, code } = output;
  return { ok: false, reason: attempts.at(-1)?.reason ?? reason, ...(code && { code }) };
}

function isTwoSided(strategy: Strategy<'direct'>): strategy is TwoSidedStrategy {
  return strategy.twoSided !== undefined;
}

/** For all connections of a peer: 16 at once, 16 in 10 s. */
const PROPOSALS = { rate: 1.6, burst: 16 };
