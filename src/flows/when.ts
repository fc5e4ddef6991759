import type { Product } from '../core/strategy.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import type { Step, WhenStep } from './step.ts';
import { stepOf } from './step-of.ts';

/**
 * The step, if the evidence is there when its turn comes; else it is skipped, which is a failure with its reason. Errors: `ERR_USAGE` for
 * what is no evidence, and for what is no step.
 */
export function when<P extends Product>(evidence: Evidence, step: Step<P>): WhenStep<P> {
  return Object.freeze({ kind: 'when', evidence: evidenceOf('when', evidence), step: stepOf('when', step) });
}
