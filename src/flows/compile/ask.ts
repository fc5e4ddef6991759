import { messageOf } from '../../core/errors.ts';
import type { Facts } from '../../core/strategy.ts';
import type { Evidence } from '../evidence.ts';

/** What evidence says of the facts. One that breaks says no: a guard that threw would end its machine. */
export function ask({ name, test }: Evidence, facts: Facts): Answer {
  try {
    return test(facts) === true ? YES : { holds: false, reason: `nothing shows that ${name}` };
  } catch (error) {
    return { holds: false, reason: `whether ${name} could not be told: ${messageOf(error)}` };
  }
}

export interface Answer {
  readonly holds: boolean;
  /** Why not. */
  readonly reason?: string;
}

const YES: Answer = { holds: true };
