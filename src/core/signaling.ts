import type { Observable } from 'rxjs';
import type { ErrorCode } from './errors.ts';
import type { Path } from './path.ts';

/** Signalling as a peer sees it: an untrusted carrier of sealed envelopes, by public key and session. */
export interface Signaling {
  /** For people and traces: the server's URL, or `memory`. */
  readonly name: string;
  readonly status$: Observable<SignalingStatus>;
  /**
   * People carry what is said, minutes later, and of a session nothing but the standing answer and the first offer. So
   * a peer says all that it knows at once, and keeps its NAT open meanwhile.
   */
  readonly byHand?: true;
  /** Announces that this key may be offered sessions; replaces the standing answers. Kept across reconnects. */
  register(registration: Registration): void;
  /** Asks for the contact of a key, answered by a `contact` event; unheard while the carrier is down. */
  lookup(request: ContactLookup): void;
  /** Opens or re-opens a session towards a key. */
  offer(offer: OutgoingOffer): void;
  /**
   * Sends an envelope within an open session; false when the carrier is down (the caller sends again after `online`).
   */
  send(session: Uint8Array, envelope: Uint8Array): boolean;
  readonly events$: Observable<SignalingEvent>;
  /**
   * The relay path of an open session; the same one until it ends, which it does with the session, when the other end
   * is unreachable, and when the carrier is down. `undefined` while the carrier is down or relays no datagrams.
   */
  relay(session: Uint8Array): Path | undefined;
  /** Forgets a session on both ends of the carrier. */
  leave(session: Uint8Array): void;
  close(): void;
}

export type SignalingStatus =
  | { readonly state: 'connecting'; readonly attempt: number }
  /** `stun`: `host:port` of the STUN servers that belong to this carrier. */
  | { readonly state: 'online'; readonly stun: readonly string[]; readonly relays: boolean }
  | {
      readonly state: 'offline';
      readonly reason: string;
      readonly code: ErrorCode;
      readonly retryIn: number | undefined;
    };

export interface Registration {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Signs the server's challenge with the identity. */
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** Wall time in ms at which this peer began to listen: of two that hold one key, the later one is registered. */
  readonly since: number;
  /** For those who dial the key without a ticket; absent: nobody may. */
  readonly contact?: Contact;
  readonly standing: readonly StandingAnswer[];
}

/** Sealed under a ticket's secret; handed to whoever offers with that ticket id. */
export interface StandingAnswer {
  readonly ticketId: Uint8Array;
  readonly envelope: Uint8Array;
}

/** The key under which a listener can be sent secrets, signed by its identity. */
export interface Contact {
  /** X25519 public key (RFC 7748), 32 bytes, fresh for each run of the listener. */
  readonly key: Uint8Array;
  /** The identity's Ed25519 signature, 64 bytes. */
  readonly signature: Uint8Array;
}

export interface ContactLookup {
  /** 16 bytes: the session that is to be offered; it ties the answer to the question. */
  readonly session: Uint8Array;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
}

export interface OutgoingOffer {
  /** 16 bytes, fresh for each connection. */
  readonly session: Uint8Array;
  readonly to: Uint8Array;
  /** 16 bytes: the id of the ticket, or of the contact, that the envelope is sealed for. */
  readonly ticketId: Uint8Array;
  readonly envelope: Uint8Array;
}

export type SignalingEvent =
  | {
      readonly type: 'offer';
      readonly session: Uint8Array;
      readonly ticketId: Uint8Array;
      readonly envelope: Uint8Array;
    }
  /**
   * What `lookup` asked for; without `contact`: nobody registered the key, or it is not to be dialled without a ticket.
   */
  | { readonly type: 'contact'; readonly session: Uint8Array; readonly contact?: Contact }
  | { readonly type: 'standing'; readonly session: Uint8Array; readonly envelope: Uint8Array }
  | { readonly type: 'envelope'; readonly session: Uint8Array; readonly envelope: Uint8Array }
  /**
   * The other end cannot be reached by this carrier: never was there (`unknown`), left without an answer (`declined`),
   * has ended (`gone`), or is away without a word and may come back (`silent`).
   */
  | {
      readonly type: 'unreachable';
      readonly session: Uint8Array;
      readonly reason: 'unknown' | 'declined' | 'gone' | 'silent';
    }
  | { readonly type: 'registered' }
  /** Another registration of the same key took over, or stands and is of a later run; this one stays away. */
  | { readonly type: 'replaced' }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string; readonly session?: Uint8Array };
