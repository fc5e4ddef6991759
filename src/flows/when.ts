import type { Product } from '../core/strategy.ts';
import type { Evidence } from './evidence.ts';
import type { Step, WhenStep } from './step.ts';

/** The step, if the evidence is there when its turn comes; else it is skipped, which is a failure with its reason. */
export function when<P extends Product>(evidence: Evidence, step: Step<P>): WhenStep<P> {
  return Object.freeze({ kind: 'when', evidence, step });
}
