import type { RemoteCandidate } from '../core/candidate.ts';
import type { CheckOptions } from '../core/strategy.ts';

/** Which candidates take part in checks: those that one of the calls of `checks` asked for; those at relays have checks of their own. */
export interface CandidateFilter {
  admits(candidate: Pick<RemoteCandidate, 'type' | 'transport'>): boolean;
  /** The same, and those that these options ask for. */
  widened(options: CheckOptions): CandidateFilter;
}

/** Admits none. */
export const closedFilter: CandidateFilter = filterOf([]);

function filterOf(wanted: readonly CheckOptions[]): CandidateFilter {
  return {
    admits: ({ type, transport }) =>
      type !== 'relay' &&
      wanted.some(
        ({ types, transports }) => types?.includes(type) !== false && transports?.includes(transport) !== false,
      ),
    widened: (options) => filterOf([...wanted, options]),
  };
}
