import { type AnyActorLogic, type AnyStateMachine, fromPromise } from 'xstate';
import { isStrategySlot } from '../../flows/compile/strategy-slot.ts';
import { type Flow, type FlowMachines, flowSlots } from '../../flows/flow.ts';
import { flowOf } from '../../flows/flow-of.ts';
import { usage } from '../../sim/fields.ts';

/** How a strategy can go wrong that no promise of its own keeps it from: `fails` is that it never succeeds, and says so at once. */
export type StrategyFault = 'fails' | 'throws' | 'hangs';

/**
 * The same flow with one of its strategies gone wrong, wherever it stands: what comes of a flow must not depend on any strategy being
 * good. Errors: `ERR_USAGE` for a name that no strategy of the flow has, and for an unknown fault.
 */
export function brokenStrategy(flow: Flow, name: string, fault: StrategyFault): Flow {
  flowOf('flow', flow);
  if (!Object.hasOwn(FAULTS, fault)) throw usage('fault', `must be one of ${Object.keys(FAULTS).join(', ')}`);
  const logic = FAULTS[fault];
  const machines: [string, AnyStateMachine][] = flowSlots.flatMap((slot) => {
    const machine = flow[slot];
    const slots = machine === undefined ? [] : slotsOf(machine, name);
    const broken = Object.fromEntries(slots.map((key) => [key, logic]));
    return slots.length === 0 ? [] : [[slot, machine!.provide({ actors: broken })]];
  });
  if (machines.length === 0) throw usage('name', `there is no strategy ${name} in the flow`);
  return flow.with(Object.fromEntries(machines) as Partial<FlowMachines>);
}

/** The actors of a composed machine that run this strategy. */
function slotsOf({ implementations }: AnyStateMachine, name: string): readonly string[] {
  const actors: readonly [string, unknown][] = Object.entries(implementations.actors);
  return actors.flatMap(([key, logic]) => (isStrategySlot(logic) && logic.strategy.name === name ? key : []));
}

const BROKEN = 'this strategy was broken by a test';

const FAULTS: Readonly<Record<StrategyFault, AnyActorLogic>> = {
  fails: fromPromise(async () => ({ ok: false, reason: BROKEN })),
  throws: fromPromise(() => Promise.reject(new Error(BROKEN))),
  hangs: fromPromise(() => new Promise<never>(() => {})),
};
