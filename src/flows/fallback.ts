import type { Product } from '../core/strategy.ts';
import type { FallbackStep, Step } from './step.ts';
import { stepOf } from './step-of.ts';
import { fieldsOf, LONGEST, wholeNumber } from './usage.ts';

export interface FallbackOptions {
  /** ms after which the backup starts beside the step. Default: not before the step has failed. */
  readonly after?: number;
}

/**
 * The backup when the step has failed, or `after` ms after its start at the latest; the step goes on, and the first to succeed wins.
 * Unlike the children of a race, the two keep their order whatever they scored. Errors: `ERR_USAGE`.
 */
export function fallback<P extends Product>(
  step: Step<P>,
  backup: Step<NoInfer<P>>,
  options: FallbackOptions = {},
): FallbackStep<P> {
  const { after } = fieldsOf('fallback: options', options, ['after']);
  if (after !== undefined) wholeNumber('fallback: after', after, 1, LONGEST);
  return Object.freeze({
    kind: 'fallback',
    step: stepOf('fallback: step', step),
    backup: stepOf('fallback: backup', backup),
    ...(after !== undefined && { after }),
  });
}
