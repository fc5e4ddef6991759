import type { NatBehavior } from '../../core/nat-behavior.ts';

/** Who takes which part in a spray, as one side sees it. */
export interface SprayRoles {
  /** This side opens many sockets towards the other, which guesses their external ports. */
  readonly opens: boolean;
  /** This side guesses. */
  readonly probes: boolean;
}

type Behavior = Pick<NatBehavior, 'mapping' | 'filtering'>;

/**
 * The roles that can lead to a path, or a sentence why there are none. What is unknown of a mapping is never taken for a value; of a
 * filter it is hoped to be open, as it is seldom known.
 *
 * The side opens whose external ports cannot be known, because its mapping depends on the destination (RFC 4787 section 4.1). What its
 * sockets send has to make the mappings to which the other side's probes will come:
 *
 * - The other side's mapping is endpoint-independent: they send to the endpoint that servers see, where the probes will come from.
 * - Their own mapping is address-dependent, and the filter lets in all ports of an address: any port of the other side's address will
 *   do, from wherever the probes come.
 *
 * Where neither holds of either side, both ports are by chance, and 2048 packets a side meet once in a thousand times.
 */
export function sprayRoles(mine: Behavior, theirs: Behavior): SprayRoles | string {
  if (mine.mapping === 'unknown') return 'it is not known what the mapping here depends on';
  if (theirs.mapping === 'unknown') return 'it is not known what the mapping on the other side depends on';
  const opens = canOpen(mine, theirs);
  const probes = canOpen(theirs, mine);
  const isKnown = { mine: mine.filtering !== 'unknown', theirs: theirs.filtering !== 'unknown' };
  // Where both can open, one is enough, if it is the only one whose filter is known to be open.
  if (opens && probes && isKnown.mine !== isKnown.theirs) return { opens: isKnown.mine, probes: isKnown.theirs };
  if (opens || probes) return { opens, probes };
  return isFixed(mine) && isFixed(theirs)
    ? 'no port has to be guessed: both mappings are endpoint-independent'
    : 'the ports of both sides depend on the destination';
}

/**
 * Whether there can be roles, as far as it is known: of one side, at least. The other may be as it takes.
 */
export function mayHaveRoles(mine: Behavior, theirs: Behavior): boolean {
  if (mine.mapping === 'unknown' && theirs.mapping === 'unknown') return false;
  return casesOf(mine).some((mine) => casesOf(theirs).some((theirs) => typeof sprayRoles(mine, theirs) !== 'string'));
}

/** What a side may turn out to be. */
function casesOf(behavior: Behavior): readonly Behavior[] {
  if (behavior.mapping !== 'unknown') return [behavior];
  return MAPPINGS.map((mapping) => ({ ...behavior, mapping }));
}

const MAPPINGS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

function canOpen(opener: Behavior, prober: Behavior): boolean {
  if (isFixed(opener)) return false;
  if (isFixed(prober)) return true;
  return opener.mapping === 'address-dependent' && opener.filtering !== 'address-and-port-dependent';
}

function isFixed({ mapping }: Behavior): boolean {
  return mapping === 'endpoint-independent';
}
