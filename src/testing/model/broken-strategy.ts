import { type AnyActorLogic, type AnyStateMachine, fromPromise } from 'xstate';
import { TraversalError } from '../../core/errors.ts';
import { isStrategySlot } from '../../flows/compile/strategy-slot.ts';
import { type Flow, type FlowMachines, flowSlots } from '../../flows/flow.ts';

/** How a strategy can go wrong that no promise of its own keeps it from. */
export type StrategyFault = 'throws' | 'hangs';

/**
 * The same flow with one of its strategies gone wrong, wherever it stands: what comes of a flow must not depend on any strategy being
 * good. Errors: `ERR_USAGE` for a name that no strategy of the flow has.
 */
export function brokenStrategy(flow: Flow, name: string, fault: StrategyFault): Flow {
  const logic = FAULTS[fault];
  const machines: [string, AnyStateMachine][] = flowSlots.flatMap((slot) => {
    const machine = flow[slot];
    const slots = machine === undefined ? [] : slotsOf(machine, name);
    const broken = Object.fromEntries(slots.map((key) => [key, logic]));
    return slots.length === 0 ? [] : [[slot, machine!.provide({ actors: broken })]];
  });
  if (machines.length === 0) throw new TraversalError('ERR_USAGE', `name: there is no strategy ${name} in the flow`);
  return flow.with(Object.fromEntries(machines) as Partial<FlowMachines>);
}

/** The actors of a composed machine that run this strategy. */
function slotsOf({ implementations }: AnyStateMachine, name: string): readonly string[] {
  const actors: readonly [string, unknown][] = Object.entries(implementations.actors);
  return actors.flatMap(([key, logic]) => (isStrategySlot(logic) && logic.strategy.name === name ? key : []));
}

const FAULTS: Readonly<Record<StrategyFault, AnyActorLogic>> = {
  throws: fromPromise(() => Promise.reject(new Error('this strategy was broken by a test'))),
  hangs: fromPromise(() => new Promise<never>(() => {})),
};
