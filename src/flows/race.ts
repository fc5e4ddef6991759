import type { Product } from '../core/strategy.ts';
import type { RaceStep, Steps } from './step.ts';
import { stepsOf } from './step-of.ts';
import { fieldsOf, LONGEST, wholeNumber } from './usage.ts';

export interface RaceOptions {
  /** ms that each gives the one before it; 0, the default: all at once. */
  readonly stagger?: number;
  /** ms for all of them, from 1. Default: as long as each may take. */
  readonly within?: number;
  /** What all of them may send together. Default: as much as each may. */
  readonly packets?: number;
}

/**
 * Each starts when those before it have failed, and `stagger` ms after the one before it at the latest; the first to succeed wins, and
 * the others are stopped. Errors: `ERR_USAGE`.
 */
export function race<P extends Product>(steps: Steps<P>, options: RaceOptions = {}): RaceStep<P> {
  const { stagger = 0, within, packets } = fieldsOf('race: options', options, ['stagger', 'within', 'packets']);
  wholeNumber('race: stagger', stagger, 0, LONGEST);
  if (within !== undefined) wholeNumber('race: within', within, 1, LONGEST);
  if (packets !== undefined) wholeNumber('race: packets', packets, 0, LONGEST);
  return Object.freeze({
    kind: 'race',
    steps: stepsOf('race', steps),
    stagger,
    ...(within !== undefined && { within }),
    ...(packets !== undefined && { packets }),
  });
}
