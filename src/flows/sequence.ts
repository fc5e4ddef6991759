import type { Product } from '../core/strategy.ts';
import type { SequenceStep, Steps } from './step.ts';
import { stepsOf } from './step-of.ts';

/** One after the other, until one succeeds. Errors: `ERR_USAGE` when there is none, and for what is no step. */
export function sequence<P extends Product>(steps: Steps<P>): SequenceStep<P> {
  return Object.freeze({ kind: 'sequence', steps: stepsOf('sequence', steps) });
}
