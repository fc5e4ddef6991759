import { natPmp } from '../adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../adapters/port-mapper/upnp-igd/index.ts';
import { simIdentity } from '../adapters/sim/identity.ts';
import { simLeaseJournal } from '../adapters/sim/lease-journal.ts';
import { simNetwork } from '../adapters/sim/network.ts';
import { simSessions } from '../adapters/sim/session/index.ts';
import { simSignaling } from '../adapters/sim/signaling.ts';
import type { Clock } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { PortLeases } from '../core/port-lease.ts';
import type { PortMapperEnvironment } from '../core/port-mapper.ts';
import type { Inspect } from '../index.ts';
import { createPortLeases } from '../leases/port-leases.ts';
import type { Host } from '../sim/host.ts';

export interface SimEnvironmentOptions {
  /** Rendezvous servers, `ws://name:port`. A peer that only dials takes them from its tickets. */
  readonly servers?: readonly string[];
  /** STUN servers, `name:port`; those of the rendezvous servers when absent. */
  readonly stun?: readonly string[];
  /** Whether gateways are asked for port mappings, by PCP, NAT-PMP and UPnP. Default true. */
  readonly mapping?: boolean;
  /** Tells the peers of one host apart: each name has chance of its own. Default: the host's. */
  readonly name?: string;
  readonly log?: Log;
  /** Sees the charts of port leases at work. */
  readonly inspect?: Inspect;
  /** Default: that of the internet. For those who count timers. */
  readonly clock?: Clock;
}

/**
 * A host of a simulated internet as an environment: its sockets, virtual time, chance from the seed, simulated sessions, signalling
 * over simulated connections. Use one environment a peer: peers that share one share its chance.
 */
export function simEnvironment(host: Host, options: SimEnvironmentOptions = {}): Environment {
  const { servers = [], stun = [], mapping = true, name = host.name, log = silentLog } = options;
  const { clock = host.clock, inspect } = options;
  const network = simNetwork(host);
  const random = host.random.stream(`peer ${name}`);
  const world = { network, clock, random, log };
  return {
    ...world,
    signaling: (url) => simSignaling({ url, ...world }),
    sessions: (identity) => simSessions(identity, { clock, random }),
    newIdentity: () => simIdentity(random),
    servers,
    stun,
    ...(mapping && { portLeases: () => openLeases(host, world, inspect) }),
    loopback: false,
  };
}

/** What is noted of them outlives them, as long as the simulation does. */
function openLeases(host: Host, world: PortMapperEnvironment, inspect: Inspect | undefined): PortLeases {
  const journal = simLeaseJournal(host);
  const leases = createPortLeases({ ...world, mappers: [pcp(), natPmp(), upnpIgd()], journal, inspect });
  const close = async (): Promise<void> => {
    await leases.close();
    journal.end();
  };
  return { keep: (request) => leases.keep(request), networkChanged: () => leases.networkChanged(), close };
}
