import { fromPromise } from 'xstate';
import { policies } from '../core/policy.ts';
import { connectionMachine } from '../machines/connection.ts';
import { compose, composeAll } from './compile/compose.ts';
import type { ComposedInput, StepOutput } from './compile/contract.ts';
import { type Flow, type FlowMachines, type FlowSlot, type FlowSpec, flowSlots, productOf } from './flow.ts';
import { findings } from './lint/findings.ts';
import type { Step } from './step.ts';
import type { Strategy } from './strategy.ts';
import { usage } from './usage.ts';
import { strategiesOf } from './walk.ts';

/**
 * Makes the charts of a flow. Errors: `ERR_USAGE` for a step that gives something else than its slot wants, for an unknown policy, and
 * for two two-sided strategies of one name, which the other side could not tell apart.
 *
 * ```ts
 * const directOnly = defineFlow({ discover: [interfaces(), stun()], punch: checks(), policy: 'direct-only' });
 * ```
 */
export function defineFlow(spec: FlowSpec): Flow {
  const { map, punch, fallback, policy = 'relay-first' } = spec;
  if (!policies.includes(policy)) throw usage('policy', `'${policy}' is none of ${policies.join(', ')}`);
  const strategies = flowSlots.flatMap((slot) => strategiesIn(slot, stepsOf(spec[slot])));
  refuseNamesakes(strategies);
  const composed = {
    discover: composeAll('discover', stepsOf(spec.discover)),
    map: map && compose('map', map, { ranked: true }),
    punch: compose('punch', punch, { ranked: true, selective: true }),
    fallback: fallback && compose('fallback', fallback),
  };
  return new ComposedFlow(spec, [...new Set(strategies)], { ...composed, machine: lifecycle(composed) });
}

class ComposedFlow implements Flow {
  readonly spec: FlowSpec;
  readonly strategies: readonly Strategy[];
  readonly machine: FlowMachines['machine'];
  readonly discover: FlowMachines['discover'];
  readonly map: FlowMachines['map'];
  readonly punch: FlowMachines['punch'];
  readonly fallback: FlowMachines['fallback'];

  constructor(
    spec: FlowSpec,
    strategies: readonly Strategy[],
    { machine, discover, map, punch, fallback }: FlowMachines,
  ) {
    this.spec = spec;
    this.strategies = strategies;
    this.machine = machine;
    this.discover = discover;
    this.map = map;
    this.punch = punch;
    this.fallback = fallback;
  }

  get policy() {
    return this.spec.policy ?? 'relay-first';
  }

  with(machines: Partial<FlowMachines>): Flow {
    const { discover, map, punch, fallback, machine } = { ...this.#machines, ...machines };
    const { punch: newPunch, fallback: newFallback } = machines;
    const actors = { ...(newPunch && { punch: newPunch }), ...(newFallback && { fallback: newFallback }) };
    return new ComposedFlow(this.spec, this.strategies, {
      discover,
      map,
      punch,
      fallback,
      machine: machine.provide({ actors }),
    });
  }

  lint() {
    return findings(this);
  }

  get #machines(): FlowMachines {
    const { discover, map, punch, fallback, machine } = this;
    return { discover, map, punch, fallback, machine };
  }
}

function lifecycle({ punch, fallback }: Pick<FlowMachines, 'punch' | 'fallback'>): FlowMachines['machine'] {
  return connectionMachine.provide({ actors: { punch, fallback: fallback ?? noFallback } });
}

/** What stands for the fallback of a flow that has none. */
const noFallback = fromPromise<StepOutput, ComposedInput>(async () => ({
  ok: false,
  reason: 'the flow has no fallback',
  code: 'ERR_NOT_AVAILABLE',
  attempts: [],
}));

function stepsOf<S extends Step>(steps: S | readonly S[] | undefined): readonly S[] {
  if (steps === undefined) return [];
  return 'kind' in steps ? [steps] : steps;
}

/** All strategies of a slot, which must give what the slot wants: flows may be written without types. */
function strategiesIn(slot: FlowSlot, steps: readonly Step[]): readonly Strategy[] {
  if (slot === 'discover' && steps.length === 0) throw usage(slot, 'no steps');
  const strategies = steps.flatMap((step) => strategiesOf(step));
  const wanted = productOf[slot];
  for (const { name, gives } of strategies)
    if (gives !== wanted) throw usage(slot, `the strategy ${name} gives '${gives}', where '${wanted}' is wanted`);
  return strategies;
}

function refuseNamesakes(strategies: readonly Strategy[]): void {
  const known = new Map<string, Strategy>();
  for (const strategy of strategies) {
    if (strategy.twoSided === undefined) continue;
    const { name } = strategy;
    if ((known.get(name) ?? strategy) !== strategy)
      throw usage('flow', `two two-sided strategies are called ${name}, and the other side could not tell them apart`);
    known.set(name, strategy);
  }
}
