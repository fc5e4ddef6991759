import { fromPromise } from 'xstate';
import type { Candidate } from '../core/candidate.ts';
import type { Environment } from '../core/environment.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import type { StrategyInput } from '../core/strategy.ts';
import {
  type AttemptCounts,
  bindStrategies,
  type Flow,
  RaceAccounts,
  RunScope,
  type StepInput,
  type StepOutput,
  type Strategy,
} from '../flows/index.ts';
import type { GatherInput, StrategiesSlot } from '../machines/index.ts';
import type { Discovery } from './discovery.ts';
import type { Look } from './look.ts';
import { LookEnvironment } from './look-environment.ts';

/** What the peer's chart has done at its network, one look at a time. */
export interface Looks {
  /** For the chart's actor of that name: runs the flow's strategies. */
  readonly gather: StrategiesSlot<GatherInput>;
  /** All have looked: what is known now. `stale`: other servers are known by now than could be asked. */
  finish(): { readonly behavior: NatBehavior; readonly candidates: readonly Candidate[]; readonly stale: boolean };
}

/** STUN servers, `host:port`; `final`: no more are expected to become known. */
export interface KnownServers {
  readonly stun: readonly string[];
  readonly final: boolean;
}

export interface LooksOptions {
  readonly env: Environment;
  readonly flow: Pick<Flow, 'discover'>;
  readonly discovery: Discovery;
  readonly servers: () => KnownServers;
  /** A look begins, with the first strategy that runs. */
  readonly onStart: () => void;
}

export function createLooks(options: LooksOptions): Looks {
  return new FlowLooks(options);
}

/** For a peer that hides its addresses: it does not even look at them. */
export const noLooks: Looks = {
  gather: fromPromise<StepOutput, GatherInput>(async () => ({
    ok: false,
    reason: 'the policy hides addresses',
    attempts: [],
  })),
  finish: () => ({ behavior: unknownBehavior, candidates: [], stale: false }),
};

class FlowLooks implements Looks {
  readonly gather: StrategiesSlot<GatherInput>;
  readonly #options: LooksOptions;
  readonly #running = new Map<StepInput, RunScope>();
  #current: RunningLook | undefined;

  constructor(options: LooksOptions) {
    this.#options = options;
    this.gather = bindStrategies(options.flow.discover, {
      begin: (strategy, step) => this.#begin(strategy, step),
      end: (step) => this.#end(step),
    });
  }

  finish(): ReturnType<Looks['finish']> {
    const { env, discovery, servers } = this.#options;
    let stale = false;
    try {
      const { look, known } = this.#start();
      look.end(known.final);
      const now = servers();
      stale = known.final !== now.final || !sameList(known.stun, now.stun);
    } catch (error) {
      env.log('discovery.failed', { error: String(error) });
    }
    this.#current = undefined;
    const { behavior, candidates } = discovery.current;
    return { behavior, candidates, stale };
  }

  /** The look under way, or a new one. Throws what looking at the interfaces throws. */
  #start(): RunningLook {
    if (this.#current === undefined) {
      const { discovery, servers, onStart } = this.#options;
      onStart();
      const known = servers();
      this.#current = { known, look: discovery.look(known.stun), accounts: new RaceAccounts() };
    }
    return this.#current;
  }

  #begin(strategy: Strategy, step: StepInput): StrategyInput<'candidates'> {
    const { look, known, accounts } = this.#start();
    const { env } = this.#options;
    const scope = new RunScope(env, strategy, accounts.open(strategy.bounds.packets, step.budgets));
    this.#running.set(step, scope);
    const { role, policy, local, remote, behaviors } = step.facts;
    return { role, policy, local, remote, behaviors, env: new LookEnvironment(env, scope, known.stun, look) };
  }

  #end(step: StepInput): AttemptCounts {
    const scope = this.#running.get(step);
    if (scope === undefined) throw new Error(`no strategy runs at ${step.step}`);
    this.#running.delete(step);
    return scope.end();
  }
}

interface RunningLook {
  readonly look: Look;
  /** As it began. */
  readonly known: KnownServers;
  readonly accounts: RaceAccounts;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
