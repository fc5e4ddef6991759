import type { Clock } from './clock.ts';
import type { Identity } from './identity.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';
import type { PortLeases } from './port-lease.ts';
import type { Random } from './random.ts';
import type { SessionFactory } from './session.ts';
import type { Signaling } from './signaling.ts';

/** The world given to a peer: everything that is not a decision. */
export interface Environment {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Opens a carrier by its URL; the peer closes it. */
  readonly signaling: (url: string) => Signaling;
  /** Makes the session layer for an identity; the peer closes it. */
  readonly sessions: (identity: Identity) => Promise<SessionFactory>;
  /** A fresh identity, for a peer that is given none. */
  readonly newIdentity: () => Identity;
  /** Rendezvous servers, by URLs that `signaling` opens. */
  readonly servers: readonly string[];
  /** STUN servers, `host:port`; empty: those of the rendezvous servers. */
  readonly stun: readonly string[];
  /** Opens the leases of ports at the gateway; the peer closes them. Absent: no gateway is asked for anything. */
  readonly portLeases?: () => PortLeases;
  /** Whether loopback addresses are candidates: for peers on one machine, never by a stranger's word. */
  readonly loopback: boolean;
}
