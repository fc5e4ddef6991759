import { type Flow, type FlowMachines, flowSlots } from '../flow.ts';
import { isMachine } from '../logic-shape.ts';
import { unboundedSteps } from './bounds.ts';
import { deadEnds } from './dead-ends.ts';
import { unreachableFallback } from './fallback.ts';
import type { Finding } from './finding.ts';
import { unusedImplementations } from './unused.ts';
import { machineIn, strategyStates } from './walk.ts';

/** What may go wrong in a flow, by its looks: nothing is run. `composed`: its machines before anything was provided. */
export function findings(flow: Flow, composed: FlowMachines): readonly Finding[] {
  const machines = flowSlots.flatMap((slot) => flow[slot] ?? []);
  const inside = machines.flatMap((machine) =>
    strategyStates(machine).flatMap((state) => {
      const logic = machineIn(machine, state);
      return isMachine(logic) ? deadEnds(logic, state.id) : [];
    }),
  );
  return [
    ...unreachableFallback(flow),
    ...machines.flatMap(unboundedSteps),
    ...[flow.machine, ...machines].flatMap((machine) => deadEnds(machine)),
    ...inside,
    ...(['machine', ...flowSlots] as const).flatMap((name) => unusedImplementations(flow[name], composed[name])),
  ];
}
