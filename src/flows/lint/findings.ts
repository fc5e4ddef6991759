import { StateMachine } from 'xstate';
import { type Flow, flowSlots } from '../flow.ts';
import { unboundedSteps } from './bounds.ts';
import { deadEnds } from './dead-ends.ts';
import { unreachableFallback } from './fallback.ts';
import type { Finding } from './finding.ts';
import { machineIn, strategyStates } from './walk.ts';

/** What may go wrong in a flow, by its looks: nothing is run. */
export function findings(flow: Flow): readonly Finding[] {
  const machines = flowSlots.flatMap((slot) => flow[slot] ?? []);
  const inside = machines.flatMap((machine) =>
    strategyStates(machine).flatMap((state) => {
      const logic = machineIn(machine, state);
      return logic instanceof StateMachine ? deadEnds(logic, state.id) : [];
    }),
  );
  return [
    ...unreachableFallback(flow),
    ...machines.flatMap(unboundedSteps),
    ...[flow.machine, ...machines].flatMap((machine) => deadEnds(machine)),
    ...inside,
  ];
}
