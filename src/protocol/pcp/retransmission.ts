import { type Random, randomInteger } from '../../core/random.ts';

/** The timers of RFC 6887 section 8.1.1. There is no limit to transmissions (MRC and MRD are 0): the request's timeout ends them. */
export interface PcpRetransmission {
  /** IRT: ms from the first transmission to the second. Default 3000. */
  readonly initial?: number;
  /** MRT: the longest interval in ms. Default 1 024 000. */
  readonly longest?: number;
}

/** ms from a transmission to the next: twice the `previous`, each time up to a tenth more or less by chance. */
export function pcpRetransmissionInterval(
  previous: number | undefined,
  random: Random,
  { initial = 3000, longest = 1_024_000 }: PcpRetransmission = {},
): number {
  const interval = previous === undefined ? initial : Math.min(2 * previous, longest);
  return interval * (1 + (randomInteger(random, 2001) - 1000) / 10_000);
}
