import type { Environment } from '../core/environment.ts';
import { DecodeError, TraversalError } from '../core/errors.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import { createTokenBucket } from '../core/token-bucket.ts';
import {
  type ContactKey,
  contactId,
  createEnvelopeChannel,
  envelopeHash,
  type OfferMessage,
  verifyOffer,
  X25519_KEY_LENGTH,
} from '../protocol/rendezvous/index.ts';
import type { Acquaintance } from './introduction.ts';
import type { IssuedTicket, TicketBook } from './ticket-book.ts';

/** An offer that could be opened: its sender holds the ticket, or has proven its key. */
export interface OpenedOffer {
  readonly carrier: Signaling;
  readonly session: Uint8Array;
  /** Absent: the dialer came by the listener's key, and its own is proven. */
  readonly ticket: IssuedTicket | undefined;
  readonly acquaintance: Acquaintance;
  readonly message: OfferMessage;
  /** Of the envelope as it came. */
  readonly hash: Uint8Array;
}

/** Opens offers of sessions that are unknown here. */
export interface OfferOpener {
  /**
   * `undefined` when there is nothing to decide: nothing is said to those who do not hold a ticket and have not proven
   * a key.
   */
  open(carrier: Signaling, event: OfferEvent): OpenedOffer | undefined;
}

export type OfferEvent = Extract<SignalingEvent, { type: 'offer' }>;

export interface OfferOpenerOptions {
  readonly env: Pick<Environment, 'clock' | 'random' | 'log'>;
  /** The listener's. */
  readonly key: Uint8Array;
  readonly tickets: TicketBook;
  /** Absent: nobody is taken without a ticket. */
  readonly contactKey: ContactKey | undefined;
}

/** What the offer is sealed under, before it has been opened. */
interface Seal extends Pick<Acquaintance, 'secret' | 'id' | 'preface'> {
  readonly ticket: IssuedTicket | undefined;
}

export function createOfferOpener({ env, key, tickets, contactKey }: OfferOpenerOptions): OfferOpener {
  const ownId = contactKey && contactId(contactKey.contact.key);
  /** What a stranger can make us calculate; whoever holds a ticket pays with it instead. */
  const strangers = createTokenBucket(KEY_OFFERS, env.clock.now());

  /** Throws `DecodeError` for an ephemeral key that is none. */
  const findSeal = ({ ticketId, envelope }: OfferEvent): Seal | undefined => {
    const ticket = tickets.find(ticketId);
    if (ticket !== undefined) return { ticket, secret: ticket.secret, id: ticket.id, preface: NOTHING };
    if (contactKey === undefined || ownId === undefined || Buffer.compare(ownId, ticketId) !== 0) return undefined;
    if (!strangers.take(1, env.clock.now())) return undefined;
    const preface = envelope.slice(0, X25519_KEY_LENGTH);
    return { ticket: undefined, secret: contactKey.decapsulate(preface), id: ownId, preface };
  };

  const open = (carrier: Signaling, event: OfferEvent): OpenedOffer | undefined => {
    const { session, envelope } = event;
    const seal = findSeal(event);
    if (seal === undefined) {
      carrier.leave(session);
      return undefined;
    }
    const { ticket, secret, id, preface } = seal;
    const makeChannel = (firstSequence?: number) =>
      createEnvelopeChannel({ secret, session, listenerKey: key, role: 'listener', random: env.random, firstSequence });
    const acquaintance = { secret, id, preface, channel: makeChannel() };
    const message = acquaintance.channel.open(envelope.subarray(preface.length));
    if (message.type !== 'offer') {
      rejectOffer(
        { carrier, session, acquaintance: { channel: makeChannel(LAST_SEQUENCE) } },
        new TraversalError('ERR_PEER_GONE', 'the listener no longer knows this connection'),
      );
      return undefined;
    }
    const opened = { carrier, session, ticket, acquaintance, message, hash: envelopeHash(envelope) };
    if (ticket === undefined) checkProof(opened);
    return opened;
  };

  /**
   * Throws `DecodeError` unless the offer was made by the holder of the key that it names, for this listener, session
   * and moment.
   */
  const checkProof = ({ session, acquaintance, message }: OpenedOffer): void => {
    const { dialerKey, issuedAt, proof } = message;
    const contact = contactKey?.contact;
    if (proof === undefined || contact === undefined) throw new DecodeError('offer/proof', 'there is none');
    const facts = { listenerKey: key, contactKey: contact.key, ephemeralKey: acquaintance.preface, session, issuedAt };
    if (!verifyOffer(facts, dialerKey, proof)) throw new DecodeError('offer/proof', 'not signed by the dialer’s key');
  };

  return {
    open(carrier, event) {
      try {
        return open(carrier, event);
      } catch (error) {
        env.log('offer.dropped', { carrier: carrier.name, reason: String(error) });
        return undefined;
      }
    },
  };
}

/** Tells the dialer why not. */
export function rejectOffer(
  {
    carrier,
    session,
    acquaintance,
  }: Pick<OpenedOffer, 'carrier' | 'session'> & { acquaintance: Pick<Acquaintance, 'channel'> },
  { code, message }: TraversalError,
): void {
  carrier.send(session, acquaintance.channel.seal({ type: 'reject', code, message }));
  carrier.leave(session);
}

const NOTHING = new Uint8Array(0);

/**
 * Offers without a ticket that are opened, as many as a server hands over: whoever knows the contact can make as many
 * of them, and any that was left out could be an honest one. Each costs an X25519 agreement and, where it opens, a
 * check of a signature: 0.3 ms, 6 % of a core.
 */
export const KEY_OFFERS = { rate: 200, burst: 2000 };

/**
 * A session that is unknown here was made by an earlier run: its dialer takes only what comes after all that it has
 * seen.
 */
const LAST_SEQUENCE = 2 ** 32 - 1;
