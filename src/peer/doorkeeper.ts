import type { TimerHandle } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import type { Signaling } from '../core/signaling.ts';
import { createOfferGuard } from '../protocol/rendezvous/index.ts';
import type { Admission } from './admission.ts';
import type { CarrierEvent } from './carriers.ts';
import { createDecision, type Decision } from './decision.ts';
import { createHalfOpen } from './half-open.ts';
import { KEY_OFFERS, type OfferEvent, type OfferOpener, type OpenedOffer, rejectOffer } from './offer-opener.ts';
import type { IssuedTicket, TicketBook } from './ticket-book.ts';

export interface DoorkeeperOptions {
  readonly env: Pick<Environment, 'clock' | 'log'>;
  /** The listener's. */
  readonly key: Uint8Array;
  readonly policy: Policy;
  readonly admission: Admission;
  readonly tickets: TicketBook;
  readonly opener: OfferOpener;
  /** ms that a dialer waits for a decision at most. */
  readonly patience: number;
  /**
   * Lets a dialer in; fulfils when its connection is established or has failed. `waiting` came for the session
   * meanwhile.
   */
  readonly letIn: (opened: OpenedOffer, waiting: readonly CarrierEvent[]) => Promise<void>;
}

/** Decides on those who knock: with a ticket, or with the listener's key and a proof of their own. */
export interface Doorkeeper {
  /** An offer of a session that has no connection. */
  receive(carrier: Signaling, event: OfferEvent): void;
  /** A session that has no connection cannot be reached over this carrier any more. */
  miss(carrier: Signaling, session: Uint8Array): void;
  /** Decides on nothing any more. */
  close(): void;
}

export function createDoorkeeper(options: DoorkeeperOptions): Doorkeeper {
  const { env, policy, admission, tickets, opener } = options;
  /** By session: offers that are being decided on. */
  const deciding = new Map<string, Decision>();
  const byTicket = createHalfOpen<IssuedTicket>({ each: MAX_WITH_TICKET, total: Number.POSITIVE_INFINITY });
  const byKey = createHalfOpen<string>({ each: MAX_OF_KEY, total: MAX_KNOCKING });
  /**
   * Those of them that are let in: who is still being decided on, which may take people's time, holds no place here.
   */
  const connecting = createHalfOpen<string>({ each: MAX_OF_KEY, total: MAX_BY_KEY });
  /** Offers without a ticket; those with one have a guard of their own each. */
  const keyOffers = createOfferGuard({ capacity: MAX_KEY_OFFERS });
  /** By ticket for one connection: the last attempt in the queue. */
  const turns = new Map<IssuedTicket, Promise<void>>();
  let closed = false;

  const receive = (carrier: Signaling, event: OfferEvent): void => {
    const id = toHex(event.session);
    const known = deciding.get(id);
    if (known !== undefined) {
      known.wait({ carrier, event });
      return;
    }
    const opened = opener.open(carrier, event);
    if (opened === undefined) return;
    const leave = enter(opened);
    if (leave === undefined) {
      reject(opened, busy());
      return;
    }
    const decision = createDecision(carrier);
    deciding.set(id, decision);
    const attempt = (): Promise<void> =>
      decide(opened, decision).catch((error) => env.log('incoming.failed', { id, error: String(error) }));
    const decided = inTurn(opened.ticket, attempt);
    Promise.race([decided, decision.left]).finally(() => {
      deciding.delete(id);
      leave();
    });
  };

  const enter = ({ ticket, message }: OpenedOffer): (() => void) | undefined =>
    ticket === undefined ? byKey.enter(toHex(message.dialerKey)) : byTicket.enter(ticket);

  /**
   * `attempt` never rejects. Attempts with a ticket for one connection come one after the other: nobody is let in first
   * and sent away then.
   */
  const inTurn = async (ticket: IssuedTicket | undefined, attempt: () => Promise<void>): Promise<void> => {
    if (ticket === undefined || !ticket.once) return attempt();
    const turn = (turns.get(ticket) ?? Promise.resolve()).then(attempt);
    turns.set(ticket, turn);
    await turn;
    if (turns.get(ticket) === turn) turns.delete(ticket);
  };

  /** Fulfils when the offer has been rejected, or its connection is established or has failed. */
  const decide = async (opened: OpenedOffer, decision: Decision): Promise<void> => {
    const isOver = (): boolean => closed || decision.hasLeft;
    if (isOver()) return;
    try {
      await admit(opened, decision);
    } catch (error) {
      if (!isOver()) reject(opened, asTraversalError(error, 'ERR_OFFER_REJECTED'));
      return;
    }
    if (isOver()) return;
    const leave = opened.ticket === undefined ? connecting.enter(toHex(opened.message.dialerKey)) : NOTHING_HELD;
    if (leave === undefined) {
      reject(opened, busy());
      return;
    }
    try {
      await options.letIn(opened, decision.waiting);
    } finally {
      leave();
    }
  };

  const reject = (opened: OpenedOffer, error: TraversalError): void => {
    env.log('offer.rejected', { code: error.code, message: error.message });
    rejectOffer(opened, error);
  };

  const admit = async ({ ticket, session, message }: OpenedOffer, decision: Decision): Promise<void> => {
    const { dialerKey: key, issuedAt } = message;
    if (Buffer.compare(message.listenerKey, options.key) !== 0) {
      throw new TraversalError('ERR_PEER_KEY', 'the offer is meant for another key');
    }
    if (ticket !== undefined) tickets.check(ticket);
    // Before anything is remembered: only those who may come can fill the memory.
    else if (!admission.mayCome(key)) throw refusal();
    const guard = ticket === undefined ? keyOffers : ticket.offers;
    guard.accept({ session, issuedAt }, env.clock.wallTime());
    if (commonPolicy(policy, message.policy) === undefined) {
      throw new TraversalError('ERR_POLICY', `one side is ${policy}, the other ${message.policy}`);
    }
    if (!(await inTime(admission.decide({ key, ticket: ticket?.text }), decision))) throw refusal();
  };

  /** The dialer waits no longer than a connection may take to be made, and may leave before. */
  const inTime = async (decided: Promise<boolean>, { left }: Decision): Promise<boolean> => {
    let timer: TimerHandle;
    const late = new Promise<boolean>((resolve) => {
      timer = env.clock.setTimeout(() => resolve(false), options.patience);
    });
    return Promise.race([decided, left.then(() => false), late]).finally(() => env.clock.clearTimeout(timer));
  };

  return {
    receive,
    miss: (carrier, session) => deciding.get(toHex(session))?.miss(carrier),
    close() {
      closed = true;
      for (const decision of deciding.values()) decision.abandon();
    },
  };
}

const NOTHING_HELD = (): void => {};

function busy(): TraversalError {
  return new TraversalError('ERR_BUSY', 'too many connections of this kind are being made');
}

function refusal(): TraversalError {
  return new TraversalError('ERR_OFFER_REJECTED', 'the listener does not let this key in');
}

/**
 * Connections that may be under way at once: with one ticket, of one dialer without a ticket, of all dialers without
 * one, and of those that are let in. The latter are fewer, since each has a session of its own.
 */
const MAX_WITH_TICKET = 32;
const MAX_OF_KEY = 8;
const MAX_KNOCKING = 256;
const MAX_BY_KEY = 32;

/** As many as the opener opens in the 20 minutes for which the longest-lived offer must be remembered. */
const MAX_KEY_OFFERS = KEY_OFFERS.rate * 1200 + KEY_OFFERS.burst;
