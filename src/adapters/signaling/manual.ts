import { BehaviorSubject, type Observable, Subject } from 'rxjs';
import type { Clock } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import { toHex } from '../../core/hex.ts';
import type { OutgoingOffer, Registration, Signaling, SignalingEvent, SignalingStatus } from '../../core/signaling.ts';
import { decodeTicket, ticketId } from '../../protocol/rendezvous/index.ts';
import { decodeInvitation, decodeReply, encodeInvitation, encodeReply } from './manual-text.ts';

/** Stands in tickets where the URL of a server would. */
export const MANUAL_URL = 'manual:';

/**
 * Signalling by copy and paste: one text each way, and no server. The listener makes an invitation, the dialer's peer
 * answers with a reply, and the connection is made directly or not at all.
 */
export interface ManualSignaling {
  /** For `Environment.signaling`; one peer's. */
  signaling(): Signaling;
  /**
   * Listener: the text to hand over, from a ticket that the peer has made. Throws `ERR_USAGE` when no peer of this
   * signalling made it.
   */
  invite(ticket: string): string;
  /**
   * Dialer: takes in an invitation; gives the ticket to connect with. Throws `ERR_TICKET_MALFORMED` (no invitation,
   * truncated, damaged),
   * `ERR_TICKET_EXPIRED`, `ERR_VERSION`.
   */
  open(invitation: string): string;
  /**
   * Dialer: the text to hand back, one for each connection, as soon as the peer knows all its addresses. Subscribe to
   * it before anything is awaited after `connect`.
   */
  readonly replies$: Observable<string>;
  /**
   * Listener: takes in a reply. Throws `ERR_TICKET_MALFORMED`, `ERR_OFFER_EXPIRED`, `ERR_VERSION`, and
   * `ERR_TICKET_REJECTED` when it answers an invitation that is not valid here.
   */
  accept(reply: string): void;
}

/** What one peer has said and is told. */
interface Client {
  readonly signaling: Signaling;
  readonly registration: Registration | undefined;
  tell(event: SignalingEvent): void;
}

export function manualSignaling({ clock }: { readonly clock: Clock }): ManualSignaling {
  const clients = new Set<Client>();
  /** Standing answers of opened invitations, by ticket. */
  const invitations = new Map<string, Uint8Array>();
  const replies = new Subject<string>();

  function standingOf(ticket: Uint8Array): { client: Client; envelope: Uint8Array } | undefined {
    for (const client of clients) {
      const own = client.registration?.standing.find((standing) => toHex(standing.ticketId) === toHex(ticket));
      if (own !== undefined) return { client, envelope: own.envelope };
    }
    return undefined;
  }

  function open(): Client {
    const status = new BehaviorSubject<SignalingStatus>({ state: 'online', stun: [], relays: false });
    const events = new Subject<SignalingEvent>();
    /** Each is replied to once: nobody copies a second text. */
    const offered = new Set<string>();
    let registration: Registration | undefined;

    /** Not at once, as from every carrier. */
    function tell(event: SignalingEvent): void {
      queueMicrotask(() => events.next(event));
    }

    function offer({ session, ticketId: ticket, envelope }: OutgoingOffer): void {
      if (offered.has(toHex(session))) return;
      const standing = invitations.get(toHex(ticket));
      if (standing === undefined) {
        tell({ type: 'unreachable', session, reason: 'unknown' });
        return;
      }
      offered.add(toHex(session));
      tell({ type: 'standing', session, envelope: standing });
      const reply = encodeReply({ expires: Math.ceil(clock.wallTime() + FRESH), session, ticketId: ticket, envelope });
      queueMicrotask(() => replies.next(reply));
    }

    const client: Client = {
      get registration() {
        return registration;
      },
      tell,
      signaling: {
        name: 'manual',
        byHand: true,
        status$: status.asObservable(),
        events$: events.asObservable(),
        register(next) {
          registration = next;
          tell({ type: 'registered' });
        },
        lookup: ({ session }) => tell({ type: 'contact', session }),
        offer,
        send: () => false,
        relay: () => undefined,
        leave: (session) => void offered.delete(toHex(session)),
        close() {
          clients.delete(client);
          status.complete();
          events.complete();
        },
      },
    };
    clients.add(client);
    return client;
  }

  return {
    signaling: () => open().signaling,
    replies$: replies.asObservable(),
    invite(ticket) {
      const made = standingOf(ticketId(decodeTicket(ticket).secret));
      if (made === undefined) {
        throw new TraversalError('ERR_USAGE', 'an invitation is made of a ticket that this peer has just given out');
      }
      return encodeInvitation({ ticket, standing: made.envelope });
    },
    open(text) {
      const { ticket, standing } = decodeInvitation(text, clock.wallTime());
      invitations.set(toHex(ticketId(decodeTicket(ticket).secret)), standing);
      return ticket;
    },
    accept(text) {
      const { session, ticketId: ticket, envelope } = decodeReply(text, clock.wallTime());
      const made = standingOf(ticket);
      if (made === undefined) {
        throw new TraversalError(
          'ERR_TICKET_REJECTED',
          'this answers another invitation: one of an earlier run, or one that has expired or was used',
        );
      }
      made.client.tell({ type: 'offer', session, ticketId: ticket, envelope });
    },
  };
}

/** ms for which a listener takes an offer (`createOfferGuard`). */
const FRESH = 10 * 60_000;
