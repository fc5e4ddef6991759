import type { Observable } from 'rxjs';
import type { StateValueFrom } from 'xstate';
import type { Environment } from '../core/environment.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import type { Flow, Scores } from '../flows/index.ts';
import type { ConnectionDelays } from '../machines/connection-setup.ts';
import type { Inspect } from '../machines/inspect.ts';
import type { peerMachine } from '../machines/peer.ts';
import type { Connection } from './connection.ts';
import type { Reachability } from './discovery.ts';
import type { PeerObserver } from './peer-observer.ts';
import type { TicketOptions } from './ticket-book.ts';

export interface PeerOptions {
  readonly env: Environment;
  /** Who this peer is; a fresh key when absent. */
  readonly identity?: Identity;
  /** How it finds its addresses, and how its connections come to a path; the default flow when absent. */
  readonly flow?: Flow;
  /**
   * Notes what comes of each strategy between which NATs, and has the races of `punch` ordered by it: what is sooner to be expected starts
   * first, and what costs more packets than its wins are worth is left out most times. Absent: races run as the flow says.
   */
  readonly scores?: Scores;
  /** How relays may be used; the flow's by default. */
  readonly policy?: Policy;
  /** Who is let in; those who hold a valid ticket by default, and nobody without one. */
  readonly accept?: Accept;
  /** Bounds of a connection's lifecycle in ms. */
  readonly delays?: Partial<ConnectionDelays>;
  /**
   * Sees the charts of the peer, of its port leases and of its connections at work. It costs several times what the charts do; absent, nothing. Packets,
   * keys and tickets are never in it.
   */
  readonly inspect?: Inspect;
  /** Sees the charts, and the network beside them: what `recordPeers()` and `observe()` give, or your own. It costs what `inspect` does. */
  readonly observer?: PeerObserver;
}

/**
 * Who is let in: holders of tickets (unless `tickets` is false), and the holders of these raw Ed25519 keys without a
 * ticket. Or a function that is asked for each dialer, of both kinds; what it throws lets nobody in. It has as long as
 * a connection may take to be made.
 */
export type Accept =
  | { readonly tickets?: boolean; readonly keys?: readonly Uint8Array[] }
  | ((dialer: Dialer) => boolean | Promise<boolean>);

/** Who knocks. */
export interface Dialer {
  /**
   * Raw Ed25519 key. Of one who comes without a ticket it is proven; otherwise claimed, and proven by the handshake
   * that follows.
   */
  readonly key: Uint8Array;
  /** The text of the ticket that it used; `undefined`: it dialled this peer's key. */
  readonly ticket: string | undefined;
}

/** Whom to dial without a ticket: a peer that lets this one in by its key. */
export interface PeerAddress {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Rendezvous servers where it may be registered; those of the environment when absent. */
  readonly servers?: readonly string[];
}

export interface ConnectOptions {
  /**
   * Before `ready`, aborting fails the connection with `ERR_ABORTED`; after it, aborting ends the connection as
   * `close()` does.
   */
  readonly signal?: AbortSignal;
  /**
   * ms until the session must be established, more than 0; 30 s by default, 10 minutes where people carry what is said.
   */
  readonly timeout?: number;
  /** Rendezvous servers to use instead of those of the ticket or the address. */
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
   * Errors: those of {@link Peer.register}, and `ERR_USAGE` when `accept` takes no tickets.
   */
  createTicket(options?: TicketOptions): Promise<string>;
  /**
   * Registers with the rendezvous servers, from where those can dial this peer's key that `accept` lets in without a
   * ticket. Fulfils once one server has registered it. Errors: `ERR_SERVER_UNREACHABLE`, `ERR_SERVER_REFUSED` (a server
   * of another name, or one that is full), `ERR_TOKEN`, `ERR_REGISTRATION_REPLACED`, `ERR_CLOSED`, `ERR_USAGE` without
   * servers.
   */
  register(): Promise<void>;
  /**
   * Begins a connection, with a ticket or to a peer's key. Throws `ERR_TICKET_MALFORMED`, `ERR_TICKET_EXPIRED`,
   * `ERR_VERSION`, `ERR_CLOSED`,
   * `ERR_USAGE` for an address without key or servers and for a timeout that is none at once; the rest is told by
   * `ready`.
   */
  connect(to: string | PeerAddress, options?: ConnectOptions): Connection;
  /** Ends all connections, leaves the servers and releases the sockets. */
  close(): Promise<void>;
}
