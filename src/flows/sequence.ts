import type { Product } from '../core/strategy.ts';
import type { SequenceStep, Step, Steps } from './step.ts';
import { usage } from './usage.ts';

/** One after the other, until one succeeds. Errors: `ERR_USAGE` when there is none. */
export function sequence<P extends Product>(steps: Steps<P>): SequenceStep<P> {
  return Object.freeze({ kind: 'sequence', steps: someSteps('sequence', steps) });
}

/** The steps, of which there must be one at least. */
export function someSteps<P extends Product>(place: string, steps: Steps<P>): readonly Step<P>[] {
  if (steps.length === 0) throw usage(place, 'no steps');
  return Object.freeze([...steps]);
}
