import type { Product } from '../core/strategy.ts';
import type { RetryStep, Step } from './step.ts';
import { stepOf } from './step-of.ts';
import { fieldsOf, LONGEST, wholeNumber } from './usage.ts';

export interface RetryOptions {
  /** 1..100, the first one included. */
  readonly times: number;
  /** ms before the second try, from 1; twice as long before each further one. Default 500. */
  readonly backoff?: number;
  /** ms that a pause lasts at most, from `backoff`. Default 30 s, or `backoff` where that is longer. */
  readonly longest?: number;
}

/**
 * The step again when it has failed, after a pause that doubles; each lasts between half of that and all of it, so that two sides, and
 * many peers, do not keep step. Errors: `ERR_USAGE`.
 */
export function retry<P extends Product>(step: Step<P>, options: RetryOptions): RetryStep<P> {
  const { times, backoff = 500, longest } = fieldsOf('retry: options', options, ['times', 'backoff', 'longest']);
  wholeNumber('retry: times', times, 1, 100);
  wholeNumber('retry: backoff', backoff, 1, LONGEST);
  if (longest !== undefined) wholeNumber('retry: longest', longest, backoff, LONGEST);
  return Object.freeze({
    kind: 'retry',
    step: stepOf('retry', step),
    times,
    backoff,
    longest: longest ?? Math.max(30_000, backoff),
  });
}
