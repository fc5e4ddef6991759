import type { Endpoint, Family } from '../../core/endpoint.ts';
import type { Random } from '../../core/random.ts';
import type { LongTermCredentials } from '../stun/index.ts';
import type { TurnTransport } from './five-tuple.ts';

export interface TurnClientOptions extends LongTermCredentials {
  readonly server: Endpoint;
  /** How the server is reached: over `tcp`, which is any byte stream, requests are not sent again. Default `udp`. */
  readonly transport?: TurnTransport;
  /** Family of the relayed transport address; default 4. */
  readonly family?: Family;
  /** Seconds that the server is asked to keep the allocation for; default 600, and it decides. */
  readonly lifetime?: number;
  /** ms until the first retransmission over UDP (RFC 8489 section 6.2.1); default 500. */
  readonly rto?: number;
  /** ms of silence towards the server after which NATs on the way are kept open by an indication, over UDP; default 15 000. */
  readonly keepalive?: number;
  readonly random: Random;
}

/**
 * A client of a TURN server, for one allocation, without input or output of its own (RFC 8656). After every `handle`, and when
 * a `wait` has run out, call `poll` until it gives the next `wait`. `now` is in ms and never goes back.
 */
export interface TurnClient {
  /** Never throws, whatever the server or somebody else sends. */
  handle(input: TurnClientInput, now: number): void;
  poll(now: number): TurnClientOutput;
  /** What changed nothing and went nowhere, by the reason. */
  readonly dropped: Readonly<Record<TurnClientDrop, number>>;
}

export type TurnClientInput =
  /** Asks for the allocation; once. */
  | { readonly type: 'allocate' }
  /** Lets data of the peer's address in, and data to it out, from now on; once there is an allocation. */
  | { readonly type: 'permit'; readonly peer: Endpoint }
  /** The same for this peer alone, by a channel, which costs 4 bytes a datagram in place of some 36. */
  | { readonly type: 'bind'; readonly peer: Endpoint }
  /** Permission and channel of the peer are not kept any longer; they end by themselves. */
  | { readonly type: 'forget'; readonly peer: Endpoint }
  /** Data for a peer, by its channel if it has one by now. Dropped without a permission that the server has confirmed. */
  | { readonly type: 'send'; readonly peer: Endpoint; readonly data: Uint8Array }
  /** A datagram that came to our socket, or one message of the stream. `from` is the server over a stream. */
  | { readonly type: 'received'; readonly bytes: Uint8Array; readonly from: Endpoint }
  /** The stream has ended. */
  | { readonly type: 'disconnected' }
  /** Gives the allocation up. `ended` follows within 1.5 s. */
  | { readonly type: 'close' };

export type TurnClientOutput =
  /** Send to the server, which may have named another one to go to. */
  | { readonly type: 'transmit'; readonly to: Endpoint; readonly bytes: Uint8Array }
  /** Data of a peer; a view of what was received. */
  | { readonly type: 'data'; readonly peer: Endpoint; readonly data: Uint8Array }
  | { readonly type: 'event'; readonly event: TurnClientEvent }
  /** Nothing to do until this time, or until the next input if `until` is undefined. */
  | { readonly type: 'wait'; readonly until: number | undefined };

export type TurnClientEvent =
  /** `mapped` is our address as the server sees it; `lifetime` in s, as granted. */
  | { readonly type: 'allocated'; readonly relayed: Endpoint; readonly mapped: Endpoint; readonly lifetime: number }
  /** The server has confirmed a permission or a channel, for the first time. */
  | { readonly type: 'permitted'; readonly peer: Endpoint }
  /** The server does not let that peer be spoken with; 403 where its address is forbidden. It is not kept any longer. */
  | { readonly type: 'refused'; readonly peer: Endpoint; readonly code: number; readonly reason: string }
  /** There is no allocation, or none any longer: the last event. */
  | { readonly type: 'failed'; readonly failure: TurnFailure }
  /** After `close`: the last event. */
  | { readonly type: 'ended' };

export type TurnFailure =
  /** An error response (RFC 8656 section 19): 401 for wrong credentials, 437 for an allocation that is gone, for example. */
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  /** 300 over a stream, or to a server that will not do: the one that was named, if any. */
  | { readonly kind: 'redirected'; readonly alternate: Endpoint | undefined }
  /** The server did not answer for 39.5 s. */
  | { readonly kind: 'unanswered' }
  /** All that came was not signed by who knows the password (RFC 8489 section 9.2.5). */
  | { readonly kind: 'integrity-violated' }
  /** A success response without what it must have. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'disconnected' };

/**
 * `foreign`: not from the server. `unmatched`: a response to no request under way, or data on no channel of ours.
 * `unauthenticated`: a response that is not signed as it must be. `unpermitted`: data of or for a peer without permission.
 * `too-long`: data that fits no datagram.
 */
export type TurnClientDrop = 'foreign' | 'malformed' | 'unmatched' | 'unauthenticated' | 'unpermitted' | 'too-long';
