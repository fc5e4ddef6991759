import type { Observable } from 'rxjs';
import type { StateValueFrom } from 'xstate';
import type { Environment } from '../core/environment.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import type { ConnectionDelays } from '../machines/connection-setup.ts';
import type { peerMachine } from '../machines/peer.ts';
import type { Connection } from './connection.ts';
import type { Reachability } from './discovery.ts';
import type { TicketOptions } from './ticket-book.ts';

export interface PeerOptions {
  readonly env: Environment;
  /** Who this peer is; a fresh key when absent. */
  readonly identity?: Identity;
  /** How relays may be used; `relay-first` by default. */
  readonly policy?: Policy;
  /** Asked for each dialer that holds a valid ticket; all are let in by default. */
  readonly accept?: (dialer: Dialer) => boolean | Promise<boolean>;
  /** Bounds of a connection's lifecycle in ms. */
  readonly delays?: Partial<ConnectionDelays>;
}

/** Who knocks: the key is claimed, and proven by the handshake that follows. */
export interface Dialer {
  readonly key: Uint8Array;
  /** The text of the ticket that it used. */
  readonly ticket: string;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** ms until the session must be established; 30 s by default. */
  readonly timeout?: number;
  /** Rendezvous servers to use instead of the ticket's. */
  readonly servers?: readonly string[];
}

/** One identity, one UDP socket a family, one discovery and one registration, shared by all its connections. */
export interface Peer extends AsyncDisposable {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** The chart's state, the current one first; completes with the peer. */
  readonly state$: Observable<StateValueFrom<typeof peerMachine>>;
  /** Candidates and NAT behaviour, the current ones first. */
  readonly reachability$: Observable<Reachability>;
  /** Connections that others made and that were let in, once established. */
  readonly incoming$: Observable<Connection>;
  /**
   * Registers with the rendezvous servers and gives a ticket to hand to the other side.
   * Errors: `ERR_SERVER_UNREACHABLE`, `ERR_TOKEN`, `ERR_REGISTRATION_REPLACED`, `ERR_CLOSED`, `ERR_USAGE` without servers.
   */
  createTicket(options?: TicketOptions): Promise<string>;
  /** Begins a connection. Throws `ERR_TICKET_MALFORMED`, `ERR_TICKET_EXPIRED`, `ERR_VERSION`, `ERR_CLOSED` at once; the rest is told by `ready`. */
  connect(ticket: string, options?: ConnectOptions): Connection;
  /** Ends all connections, leaves the servers and releases the sockets. */
  close(): Promise<void>;
}
