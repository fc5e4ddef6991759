import { TraversalError } from '../core/errors.ts';

/** The value, which must be a whole number from `low` to `high`. Errors: `ERR_USAGE`, naming the place. */
export function wholeNumber(place: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw usage(place, `${value} is no whole number from ${low} to ${high}`);
}

/** The value, which may also be `Infinity`: said aloud that there is no bound, which an enclosing step then has to set. */
export function boundOf(place: string, value: number, low: number): number {
  return value === Infinity ? value : wholeNumber(place, value, low, LONGEST);
}

export function usage(place: string, message: string): TraversalError {
  return new TraversalError('ERR_USAGE', `${place}: ${message}`);
}

/** Timers take no more ms than this, some 24 days. */
export const LONGEST = 2 ** 31 - 1;
