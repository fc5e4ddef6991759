import { createActor, type SnapshotFrom } from 'xstate';
import type { Clock } from '../../src/core/clock.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Facts, Product, StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import { bindStrategies } from '../../src/flows/compile/bind.ts';
import type { ComposedMachine } from '../../src/flows/compile/compose.ts';
import type { ComposedInput, StepInput, StepOutput } from '../../src/flows/compile/contract.ts';
import type { StrategyHost } from '../../src/flows/compile/strategy-host.ts';
import { defineStrategy } from '../../src/flows/define-strategy.ts';
import type { StrategyStep } from '../../src/flows/step.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';

export const facts: Facts = {
  role: 'dialer',
  policy: 'relay-first',
  local: [],
  remote: [],
  behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
};

/** A strategy that ends `duration` ms after its start, on the clock of its environment; absent: never. */
export interface Script {
  readonly duration?: number;
  readonly ok?: boolean;
  /** Its bound in ms. */
  readonly time?: number;
}

/** A path is called like its strategy. */
export function scripted<P extends Product = 'direct'>(
  name: string,
  { duration, ok = false, time = 10_000 }: Script = {},
  gives = 'direct' as P,
): StrategyStep<P> {
  return defineStrategy<P>({
    name,
    gives,
    bounds: { time, packets: 0, sockets: 0 },
    run: ({ env }: StrategyInput<P>) =>
      new Promise((resolve) => {
        const result = ok ? { ok, path: name } : { ok, reason: `${name} failed` };
        if (duration === undefined) return;
        const timer = env.clock.setTimeout(() => resolve(result as StrategyResult<P>), duration);
        env.signal.addEventListener('abort', () => env.clock.clearTimeout(timer));
      }),
  });
}

/** Events of XState's own for pure transitions. */
export const won = (step: string, strategy = step) =>
  ({
    type: `xstate.done.actor.${step}`,
    output: { ok: true, path: strategy, step, strategy, attempts: [{ step, strategy, ok: true, reason: 'done' }] },
  }) as never;
export const failed = (step: string, reason = 'no answer') =>
  ({ type: `xstate.done.actor.${step}`, output: { ok: false, reason } }) as never;
export const broke = (step: string) => ({ type: `xstate.error.actor.${step}`, error: new Error('broken') }) as never;
export const expired = (delay: string, state: string) => ({ type: `xstate.after.${delay}.${state}` }) as never;

/** What happened in a run: `at` in ms. */
export interface Happening {
  readonly at: number;
  readonly what: 'begin' | 'end' | 'abandoned';
  readonly strategy: string;
  readonly step: string;
}

/** Gives strategies a clock and a signal, and notes their runs. */
export class ScriptedHost implements StrategyHost {
  readonly happenings: Happening[] = [];
  readonly steps: StepInput[] = [];
  readonly #clock: Clock;
  readonly #began = new Map<StepInput, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(strategy: { readonly name: string }, step: StepInput, signal: AbortSignal): StrategyInput {
    this.#note('begin', step);
    this.steps.push(step);
    this.#began.set(step, this.#clock.now());
    return { ...step.facts, env: { clock: this.#clock, signal, name: strategy.name } } as unknown as StrategyInput;
  }

  end(step: StepInput, result: StrategyResult) {
    this.#note(!result.ok && result.code === 'ERR_ABORTED' ? 'abandoned' : 'end', step);
    const startedAt = this.#began.get(step)!;
    this.#began.delete(step);
    return { startedAt, endedAt: this.#clock.now() };
  }

  /** Runs that have not ended. */
  get running(): number {
    return this.#began.size;
  }

  #note(what: Happening['what'], { strategy, step }: StepInput): void {
    this.happenings.push({ at: this.#clock.now(), what, strategy, step });
  }
}

export interface Run {
  readonly output: StepOutput;
  readonly host: ScriptedHost;
  /** `0 begin a` and so on. */
  readonly story: readonly string[];
  /** ms at the end. */
  readonly endedAt: number;
  /** Timers that are left. */
  readonly pending: number;
}

/** The machine, run to its end in virtual time. */
export async function runComposed(machine: ComposedMachine, input: Partial<ComposedInput> = {}): Promise<Run> {
  const clock = new VirtualClock();
  const host = new ScriptedHost(clock);
  const actor = createActor(bindStrategies(machine, host), { clock, input: { id: 'c', facts, ...input } });
  const ended = new Promise<SnapshotFrom<ComposedMachine>>((resolve, reject) => {
    actor.subscribe({ error: reject, complete: () => resolve(actor.getSnapshot()) });
  });
  actor.start();
  const { output } = await clock.runUntil(ended, 3_600_000);
  const story = host.happenings.map(({ at, what, strategy }) => `${at} ${what} ${strategy}`);
  return { output: output!, host, story, endedAt: clock.now(), pending: clock.pending };
}
