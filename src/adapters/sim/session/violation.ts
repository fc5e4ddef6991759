import { TraversalError } from '../../../core/errors.ts';

/** The other side holds the keys, and breaks a rule: the session ends, with this as its reason. */
export function violation(what: string): TraversalError {
  return new TraversalError('ERR_PROTOCOL', `the other side ${what}`);
}
