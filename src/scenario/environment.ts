import { natPmp } from '../adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../adapters/port-mapper/upnp-igd/index.ts';
import { type TurnServerAddress, turnRelay } from '../adapters/relay/turn.ts';
import { simIdentity } from '../adapters/sim/identity.ts';
import { simLeaseJournal } from '../adapters/sim/lease-journal.ts';
import { simNetwork } from '../adapters/sim/network.ts';
import { simSessions } from '../adapters/sim/session/index.ts';
import { simSignaling } from '../adapters/sim/signaling.ts';
import type { Clock } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { Network } from '../core/network.ts';
import type { PortMapperFactory } from '../core/port-mapper.ts';
import type { Host } from '../sim/host.ts';

export interface SimEnvironmentOptions {
  /** Rendezvous servers, `ws://name:port`. A peer that only dials takes them from its tickets. */
  readonly servers?: readonly string[];
  /** STUN servers, `name:port`; those of the rendezvous servers when absent. */
  readonly stun?: readonly string[];
  /** TURN servers, as in `NodeEnvironmentOptions`; hosts are called by their names. */
  readonly turn?: readonly (string | TurnServerAddress)[];
  /**
   * Whether gateways may be asked for port mappings, or by which protocols; PCP, NAT-PMP and UPnP by default. The flow says which of
   * them are asked, and in which order.
   */
  readonly mapping?: boolean | readonly PortMapperFactory[];
  /** Tells the peers of one host apart: each name has keys and chance of its own. Default: the host's. */
  readonly name?: string;
  readonly log?: Log;
  /** Default: that of the internet. For those who count timers. */
  readonly clock?: Clock;
  /** Default: that of the host. For those who count sockets. */
  readonly network?: Network;
}

/**
 * A host of a simulated internet as an environment: its sockets, virtual time, chance from the seed, simulated sessions, signalling
 * over simulated connections. Use one environment a peer: peers that share one share its chance. An environment of the same host and
 * name is the same program started again: its identities are the same, its chance goes on.
 */
export function simEnvironment(host: Host, options: SimEnvironmentOptions = {}): Environment {
  const { servers = [], stun = [], turn = [], mapping = true, name = host.name, log = silentLog } = options;
  const { clock = host.clock, network = simNetwork(host) } = options;
  const program = host.random.stream('programs').stream(host.name).stream(name);
  const random = program.stream(`start ${countStart(host, name)}`);
  const identities = program.stream('identities');
  const world = { network, clock, random, log };
  return {
    ...world,
    signaling: (url) => simSignaling({ url, ...world }),
    sessions: (identity) => simSessions(identity, { clock, random }),
    newIdentity: () => simIdentity(identities),
    servers,
    stun,
    mappers: typeof mapping === 'boolean' ? (mapping ? DEFAULT_MAPPERS : []) : mapping,
    leaseJournal: () => simLeaseJournal(host),
    relays: turn.map(turnRelay),
    loopback: false,
  };
}

/** Counts the starts of the program of that name on that host: the first is 1. */
function countStart(host: Host, name: string): number {
  const known = starts.get(host) ?? new Map<string, number>();
  starts.set(host, known);
  const count = (known.get(name) ?? 0) + 1;
  known.set(name, count);
  return count;
}

const starts = new WeakMap<Host, Map<string, number>>();

const DEFAULT_MAPPERS: readonly PortMapperFactory[] = [pcp(), natPmp(), upnpIgd()];
