import type { Endpoint } from '../../core/endpoint.ts';
import type { Random } from '../../core/random.ts';
import type { FiveTuple } from './five-tuple.ts';
import type { TurnServerCounters } from './server-counters.ts';
import type { TurnServerLimits } from './server-limits.ts';

export interface TurnServerOptions {
  /** Names the server to its users, as a domain does; at most 127 characters. */
  readonly realm: string;
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** Numeric addresses that relayed transport addresses are made of: one of each family that is offered. */
  readonly relayAddresses: readonly string[];
  /** Ports that relayed transport addresses are made of, both included; default 49152..65535 (RFC 8656 section 7.2). */
  readonly relayPorts?: PortRange;
  /**
   * Peers on such addresses are served too, beside those on public ones. None by default: the server may reach what its
   * clients may not. Multicast, broadcast, unspecified and deprecated addresses are never served.
   */
  readonly allowedPeers?: readonly PeerKind[];
  readonly limits?: Partial<TurnServerLimits>;
  readonly random: Random;
}

/** 1..65535 each, `first` not above `last`. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Kinds of addresses that are not public. */
export type PeerKind = 'private' | 'carrier' | 'link-local' | 'loopback';

/**
 * A TURN server without sockets (RFC 8656). Whoever runs it does what the actions say, in their order, and calls `expire` when
 * `wakeAt` has come. Nothing that clients or peers send makes it throw, and every table in it is bounded. `now` is in
 * ms and never goes back.
 */
export interface TurnServer {
  /** A datagram of a client, or one message from its stream. */
  receive(message: Uint8Array, from: FiveTuple, now: number): readonly TurnServerAction[];
  /** A datagram that came to a relayed transport address. */
  receiveFromPeer(data: Uint8Array, peer: Endpoint, relayed: Endpoint, now: number): readonly TurnServerAction[];
  /** A socket is bound to the relayed transport address. */
  bound(relayed: Endpoint, now: number): readonly TurnServerAction[];
  /** There is no socket on the relayed transport address: it could not be bound, or has broken. */
  unbound(relayed: Endpoint, now: number): readonly TurnServerAction[];
  /** The stream of a client has ended: so does its allocation. */
  disconnect(client: FiveTuple, now: number): readonly TurnServerAction[];
  /** Forgets what has expired. */
  expire(now: number): readonly TurnServerAction[];
  /** When something may expire, in ms; `undefined` while nothing is there that could. */
  readonly wakeAt: number | undefined;
  readonly counters: TurnServerCounters;
}

export type TurnServerAction =
  /** Send to a client, from the server's socket or on its stream; on a stream that is too slow, data may be dropped. */
  | { readonly type: 'send'; readonly to: FiveTuple; readonly bytes: Uint8Array }
  /** Send to a peer, from a relayed transport address. */
  | { readonly type: 'relay'; readonly from: Endpoint; readonly to: Endpoint; readonly data: Uint8Array }
  /** Bind a UDP socket to a relayed transport address, and say `bound` or `unbound`, now or later. */
  | { readonly type: 'bind'; readonly relayed: Endpoint }
  /** Close the socket of a relayed transport address. */
  | { readonly type: 'release'; readonly relayed: Endpoint };
