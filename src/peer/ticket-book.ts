import type { Clock } from '../core/clock.ts';
import { TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Random } from '../core/random.ts';
import {
  createOfferGuard,
  encodeTicket,
  type OfferGuard,
  type Ticket,
  ticketId,
} from '../protocol/rendezvous/index.ts';

export interface TicketOptions {
  /** ms until the ticket stops being accepted; 24 h by default. */
  readonly ttl?: number;
  /** Burnt after the first connection that was established with it. */
  readonly once?: boolean;
}

export interface IssuedTicket extends Ticket {
  readonly id: Uint8Array;
  readonly once: boolean;
  readonly text: string;
  /** The offers made with it: each ticket has its own room, so that nobody crowds out the holders of another. */
  readonly offers: OfferGuard;
}

/** The tickets that a peer has given out. */
export interface TicketBook {
  issue(where: Pick<Ticket, 'servers' | 'stun'>, options?: TicketOptions): IssuedTicket;
  /** The ticket of this id, accepted or not. */
  find(id: Uint8Array): IssuedTicket | undefined;
  /** Throws `ERR_TICKET_REJECTED` or `ERR_TICKET_EXPIRED`. */
  check(ticket: IssuedTicket): void;
  /** From now on the ticket is rejected: the one connection that it was good for stands. */
  burn(ticket: IssuedTicket): void;
  /** Those that would be accepted now. */
  readonly valid: readonly IssuedTicket[];
}

const DEFAULT_TTL = 24 * 3_600_000;
const MAX_TICKETS = 1000;

export function createTicketBook(key: Uint8Array, { clock, random }: { clock: Clock; random: Random }): TicketBook {
  const tickets = new Map<string, IssuedTicket>();
  const burnt = new Set<string>();
  const isValid = (ticket: IssuedTicket): boolean => !burnt.has(toHex(ticket.id)) && clock.wallTime() < ticket.expires;

  const forget = (id: string): void => {
    tickets.delete(id);
    burnt.delete(id);
  };

  return {
    issue(where, { ttl = DEFAULT_TTL, once = false } = {}) {
      if (!Number.isFinite(ttl) || ttl <= 0) throw new TraversalError('ERR_USAGE', `a ticket cannot live ${ttl} ms`);
      if (tickets.size >= MAX_TICKETS) {
        for (const [id, ticket] of tickets) if (!isValid(ticket)) forget(id);
        if (tickets.size >= MAX_TICKETS) throw new TraversalError('ERR_BUSY', `${MAX_TICKETS} tickets are already out`);
      }
      const ticket: Ticket = { ...where, key, secret: random.bytes(16), expires: Math.ceil(clock.wallTime() + ttl) };
      const issued = {
        ...ticket,
        id: ticketId(ticket.secret),
        once,
        text: encodeTicket(ticket),
        offers: createOfferGuard(),
      };
      tickets.set(toHex(issued.id), issued);
      return issued;
    },
    find: (id) => tickets.get(toHex(id)),
    check(ticket) {
      if (burnt.has(toHex(ticket.id))) {
        throw new TraversalError('ERR_TICKET_REJECTED', 'this ticket was good for one connection and has been used');
      }
      if (!isValid(ticket)) throw new TraversalError('ERR_TICKET_EXPIRED', 'the ticket has expired; ask for a new one');
    },
    burn(ticket) {
      burnt.add(toHex(ticket.id));
    },
    get valid() {
      return [...tickets.values()].filter(isValid);
    },
  };
}
