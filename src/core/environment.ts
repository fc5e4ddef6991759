import type { Clock } from './clock.ts';
import type { Identity } from './identity.ts';
import type { LeaseJournal } from './lease-journal.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';
import type { PortMapperFactory } from './port-mapper.ts';
import type { Random } from './random.ts';
import type { RelayFactory } from './relay.ts';
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
  /** What gateways are asked for port mappings by; of those, the ones that the flow names are used. Absent: no gateway is asked. */
  readonly mappers?: readonly PortMapperFactory[];
  /** Opens the notes of what is mapped; the peer closes them. Absent: what a killed process leaves mapped ends with its lease. */
  readonly leaseJournal?: () => LeaseJournal;
  /** Relays beside those of the rendezvous servers, such as TURN servers. Absent: none. */
  readonly relays?: readonly RelayFactory[];
  /** Whether loopback addresses are candidates: for peers on one machine, never by a stranger's word. */
  readonly loopback: boolean;
}
