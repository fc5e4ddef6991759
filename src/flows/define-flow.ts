import { fromPromise } from 'xstate';
import { policies } from '../core/policy.ts';
import { connectionMachine } from '../machines/connection.ts';
import { compose, composeAll } from './compile/compose.ts';
import type { ComposedInput, StepOutput } from './compile/contract.ts';
import { ComposedFlow } from './composed-flow.ts';
import { type Flow, type FlowMachines, type FlowSlot, type FlowSpec, flowSlots, productOf } from './flow.ts';
import type { Step, Steps } from './step.ts';
import { stepOf, stepsOf } from './step-of.ts';
import type { Strategy } from './strategy.ts';
import { fieldsOf, usage, wordOf } from './usage.ts';
import { strategiesOf } from './walk.ts';

/**
 * Makes the charts of a flow. Errors: `ERR_USAGE` for what is no step, or one that gives something else than its slot wants, for an
 * unknown slot or policy, and for two two-sided strategies of one name, which the other side could not tell apart.
 *
 * ```ts
 * const directOnly = defineFlow({ discover: [interfaces(), stun()], punch: checks(), policy: 'direct-only' });
 * ```
 */
export function defineFlow(spec: FlowSpec): Flow {
  const { map, punch, fallback, policy } = fieldsOf('flow', spec, [...flowSlots, 'policy']);
  if (policy !== undefined) wordOf('policy', policy, policies);
  const discover = isList(spec.discover) ? stepsOf('discover', spec.discover) : [stepOf('discover', spec.discover)];
  const parts: readonly [FlowSlot, readonly Step[]][] = [
    ['discover', discover],
    ['map', map === undefined ? [] : [stepOf('map', map)]],
    ['punch', [stepOf('punch', punch)]],
    ['fallback', fallback === undefined ? [] : [stepOf('fallback', fallback)]],
  ];
  const strategies = parts.flatMap(([slot, steps]) => strategiesIn(slot, steps));
  refuseNamesakes(strategies);
  const composed = {
    discover: composeAll('discover', discover),
    map: map && compose('map', map, { ranked: true }),
    punch: compose('punch', punch, { ranked: true, selective: true }),
    fallback: fallback && compose('fallback', fallback),
  };
  return new ComposedFlow(Object.freeze({ ...spec }), [...new Set(strategies)], {
    ...composed,
    machine: lifecycle(composed),
  });
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

function isList(discover: FlowSpec['discover']): discover is Steps<'candidates'> {
  return Array.isArray(discover);
}

/** All strategies of a slot, which must give what the slot wants: flows may be written without types. */
function strategiesIn(slot: FlowSlot, steps: readonly Step[]): readonly Strategy[] {
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
