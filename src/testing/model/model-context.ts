import type { Policy } from '../../core/policy.ts';
import type { Chance, Prospects } from './prospects.ts';

/** What holds of a pair whatever happens: its flow's policy, and what its place allows. */
export interface ModelInput extends Prospects {
  readonly policy: Policy;
  /** Whether the flow may get a relayed path. */
  readonly relay: boolean;
}

/** The facts that the model goes by. Few values each, so that there are few states. */
export interface ModelContext extends ModelInput {
  readonly server: 'up' | 'down';
  readonly udp: 'open' | 'blocked';
  readonly link: 'clean' | 'lossy';
  readonly signaling: 'prompt' | 'delayed';
  readonly listener: 'running' | 'replaced' | 'ended' | 'returned';
  /** The dialer's user has aborted what was not dialled yet. */
  readonly aborted: boolean;
  /** What has been since the pair was last at rest, or was dialled. */
  readonly lately: Lately;
}

export interface Lately {
  /** For how much of that time the server was away. */
  readonly outage: Span;
  /** For how much of that time no UDP got through. */
  readonly blackout: Span;
  /** One of the sides has other addresses or ports. */
  readonly moved: boolean;
}

export type Span = 'never' | 'partly' | 'always';

/** Nothing has happened yet since the pair was in this state. */
export function calm({ server, udp }: Pick<ModelContext, 'server' | 'udp'>): Lately {
  return {
    outage: server === 'down' ? 'always' : 'never',
    blackout: udp === 'blocked' ? 'always' : 'never',
    moved: false,
  };
}

/** The dial: what was before it counts as far as it is not over. */
export function dialled({ server, udp, lately }: ModelContext): Lately {
  return {
    outage: server === 'down' ? 'always' : lately.outage,
    blackout: udp === 'blocked' ? 'always' : lately.blackout,
    moved: lately.moved,
  };
}

/** Where a pair must come to rest, or that it cannot be told. */
export type Rest = 'direct' | 'relayed' | 'connected' | 'failed' | 'unsure';

/** Where a pair comes to rest that has never been connected. */
export function restOfTraversing(context: ModelContext): Rest {
  const { listener, lately, relay } = context;
  if (listener === 'ended' || listener === 'returned' || lately.outage === 'always') return 'failed';
  // A connection to a server that has gone silent is noticed no sooner than a dial is given up.
  if (listener === 'replaced' || lately.outage === 'partly' || lately.moved) return 'unsure';
  return relay ? restWithRelay(context) : restWithoutRelay(context);
}

/** Where a pair comes to rest that was connected, and is so again if it can be. */
export function restOfRecovering(context: ModelContext): Rest {
  const { listener, lately, relay, server } = context;
  if (listener === 'ended' || listener === 'returned') return 'failed';
  if (listener === 'replaced') return 'unsure';
  if (server === 'up' && relay) return restWithRelay(context);
  const rest = restWithoutRelay(context);
  // Without a server neither side hears of the other's new addresses.
  return rest === 'direct' && lately.outage !== 'never' ? 'unsure' : rest;
}

function restWithRelay(context: ModelContext): Rest {
  if (context.policy === 'relay-only') return 'relayed';
  return WITH_RELAY[chanceOf(context)];
}

function restWithoutRelay(context: ModelContext): Rest {
  if (context.policy === 'relay-only') return 'failed';
  return WITHOUT_RELAY[chanceOf(context)];
}

/** Whether there is a direct path by now. After a disturbance that may take more rounds of punching than anybody waits for. */
function chanceOf({ direct, withoutUdp, udp, link, lately }: ModelContext): Chance {
  const chance = udp === 'open' ? direct : withoutUdp;
  if (chance !== 'sure') return chance;
  const isUndisturbed = link === 'clean' && lately.blackout !== 'partly' && !lately.moved;
  return isUndisturbed ? 'sure' : 'possible';
}

const WITH_RELAY: Readonly<Record<Chance, Rest>> = { sure: 'direct', possible: 'connected', impossible: 'relayed' };
const WITHOUT_RELAY: Readonly<Record<Chance, Rest>> = { sure: 'direct', possible: 'unsure', impossible: 'failed' };
