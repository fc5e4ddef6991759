import type { Flow, FlowMachines } from './flow.ts';
import { isMachine } from './logic-shape.ts';
import { shown, usage } from './usage.ts';

/** The flow. By its shape: a user may have another copy of this package. Errors: `ERR_USAGE` for what is none, naming the place. */
export function flowOf(place: string, flow: Flow): Flow {
  const { machine, discover, punch } = Object(flow) as Partial<FlowMachines>;
  if ([machine, discover, punch].every(isMachine)) return flow;
  throw usage(place, `${shown(flow)} is no flow; call defineFlow()?`);
}
