import type { Product } from '../core/strategy.ts';
import type { Step, WithinStep } from './step.ts';
import { stepOf } from './step-of.ts';
import { LONGEST, wholeNumber } from './usage.ts';

/** The step, for `time` ms at most: what has not succeeded by then is stopped, and has failed. Errors: `ERR_USAGE`. */
export function within<P extends Product>(time: number, step: Step<P>): WithinStep<P> {
  wholeNumber('within: time', time, 1, LONGEST);
  return Object.freeze({ kind: 'within', step: stepOf('within', step), time });
}
