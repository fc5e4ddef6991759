import { TraversalError } from '../core/errors.ts';

/** The value, which must be a whole number from `low` to `high`. Errors: `ERR_USAGE`, naming the place. */
export function wholeNumber(place: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw usage(place, `${shown(value)} is no whole number from ${low} to ${high}`);
}

/** The value, which may also be `Infinity`: said aloud that there is no bound, which an enclosing step then has to set. */
export function boundOf(place: string, value: number, low: number): number {
  return value === Infinity ? value : wholeNumber(place, value, low, LONGEST);
}

/** The value, which must be one of the words. */
export function wordOf<W extends string>(place: string, value: W, words: readonly W[]): W {
  if (words.includes(value)) return value;
  throw usage(place, `${shown(value)} is none of ${words.join(', ')}`);
}

/** The value, which must be an object, and have no fields but these where they are given. */
export function fieldsOf<T>(place: string, value: T, names?: readonly (keyof T & string)[]): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usage(place, `${shown(value)} is not an object`);
  }
  const stray = names && Object.keys(value).find((name) => !names.some((known) => known === name));
  if (stray !== undefined) throw usage(place, `'${stray}' is none of its fields: ${names?.join(', ')}`);
  return value;
}

export function usage(place: string, message: string): TraversalError {
  return new TraversalError('ERR_USAGE', `${place}: ${message}`);
}

/** A value as messages name it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** Timers take no more ms than this, some 24 days. */
export const LONGEST = 2 ** 31 - 1;
