import type { Subscription } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import {
  type CandidatesMessage,
  type EnvelopeChannel,
  envelopeHash,
  type OfferMessage,
  openStanding,
  type PeerMessage,
  type RestartMessage,
  type Ticket,
  ticketId,
} from '../protocol/rendezvous/index.ts';
import type { CarrierStatus, Carriers } from './carriers.ts';

export interface SignalLinkOptions {
  readonly role: 'dialer' | 'listener';
  readonly ticket: Pick<Ticket, 'key' | 'secret'>;
  /** 16 bytes. */
  readonly session: Uint8Array;
  readonly channel: EnvelopeChannel;
  readonly carriers: Carriers;
  /** Dialer: where to offer. Listener: where the offer came from. */
  readonly servers: readonly Signaling[];
  readonly clock: Clock;
  readonly log: Log;
  readonly on: SignalLinkEvents;
}

export interface SignalLinkEvents {
  /** A message of the other side, authentic and new. */
  message(message: PeerMessage): void;
  /** The other side can be reached over this carrier from now on. */
  bound(carrier: Signaling): void;
  /** The carrier cannot carry this session any more. */
  unbound(carrier: Signaling, reason: string): void;
  unreachable(reason: 'unknown' | 'gone'): void;
  /** The listener left without an answer: it does not know the ticket. */
  declined(): void;
  failed(code: ErrorCode, message: string): void;
}

/** The sealed envelopes of one connection, over every carrier that both sides share. */
export interface SignalLink {
  readonly bound: readonly Signaling[];
  /**
   * Begins to watch the carriers. The dialer offers on each that is online, now and whenever it comes back; once the listener has
   * answered, also whenever the listener may have come back.
   */
  start(makeOffer?: () => OfferMessage | CandidatesMessage | RestartMessage): void;
  /** Seals and sends on every bound carrier; a message that no carrier takes is gone, for the next offer tells it all. */
  send(message: PeerMessage): void;
  /** Dialer: offers again on every carrier that is online, which binds the session anew. */
  offerAgain(): void;
  /** A carrier's event that names this session. */
  handle(carrier: Signaling, event: SignalingEvent): void;
  close(): void;
}

/** ms until an answered offer is made again where the listener is not; doubles each time. */
const RETRY = { first: 500, longest: 30_000 };

export function createSignalLink(options: SignalLinkOptions): SignalLink {
  const { role, ticket, session, channel, carriers, servers, clock, log, on } = options;
  const id = ticketId(ticket.secret);
  const bound = new Set<Signaling>();
  const unknownAt = new Set<Signaling>();
  const offerHashes = new Set<string>();
  const retries = new Map<Signaling, { readonly timer: TimerHandle; readonly delay: number }>();
  let answered = false;
  let statuses: Subscription | undefined;
  let makeOffer: (() => OfferMessage | CandidatesMessage | RestartMessage) | undefined;

  const bind = (carrier: Signaling): void => {
    unknownAt.delete(carrier);
    stopRetrying(carrier);
    answered = true;
    if (bound.has(carrier)) return;
    bound.add(carrier);
    on.bound(carrier);
  };

  const unbind = (carrier: Signaling, reason: string): void => {
    if (bound.delete(carrier)) on.unbound(carrier, reason);
  };

  const offer = (carrier: Signaling): void => {
    if (makeOffer === undefined) return;
    const message = makeOffer();
    const envelope = channel.seal(message);
    if (message.type === 'offer') offerHashes.add(hex(envelopeHash(envelope)));
    carrier.offer({ session, to: ticket.key, ticketId: id, envelope });
  };

  /** A listener that lost its connection to the server, or whose server began anew, registers again in its own time. */
  const retry = (carrier: Signaling): void => {
    const delay = Math.min(2 * (retries.get(carrier)?.delay ?? RETRY.first / 2), RETRY.longest);
    stopRetrying(carrier);
    retries.set(carrier, { delay, timer: clock.setTimeout(() => offer(carrier), delay) });
  };

  const stopRetrying = (carrier: Signaling): void => {
    clock.clearTimeout(retries.get(carrier)?.timer);
    retries.delete(carrier);
  };

  const openEnvelope = (carrier: Signaling, envelope: Uint8Array): void => {
    let message: PeerMessage;
    try {
      message = channel.open(envelope);
    } catch (error) {
      drop(carrier, error);
      return;
    }
    if (message.type === 'answer' && !offerHashes.has(hex(message.offerHash))) {
      drop(carrier, 'the answer belongs to another offer');
      return;
    }
    // What an answer allows must be known before the carrier is used.
    on.message(message);
    if (message.type !== 'reject') bind(carrier);
  };

  const openStandingAnswer = (carrier: Signaling, envelope: Uint8Array): void => {
    try {
      on.message(openStanding({ secret: ticket.secret, listenerKey: ticket.key, envelope }));
    } catch (error) {
      drop(carrier, error);
    }
  };

  /** What cannot be opened is not the other side's, and changes nothing. */
  const drop = (carrier: Signaling, reason: unknown): void => {
    log('envelope.dropped', { carrier: carrier.name, reason: String(reason) });
  };

  const fail = (carrier: Signaling, reason: 'unknown' | 'gone'): void => {
    unbind(carrier, reason);
    if (reason === 'unknown') unknownAt.add(carrier);
    if (role === 'dialer' && answered) retry(carrier);
    const nowhere = servers.every((server) => unknownAt.has(server) || carriers.statusOf(server).state === 'offline');
    if (bound.size === 0 && (reason === 'gone' || nowhere)) on.unreachable(reason);
  };

  const watch = ({ carrier, status }: CarrierStatus): void => {
    if (!servers.includes(carrier)) return;
    if (status.state === 'online') {
      offer(carrier);
      return;
    }
    unbind(carrier, 'the connection to the rendezvous server ended');
    stopRetrying(carrier);
    const states = servers.map((server) => carriers.statusOf(server));
    if (status.state === 'offline' && role === 'dialer' && states.every(({ state }) => state === 'offline')) {
      on.failed(status.code, status.reason);
    }
  };

  return {
    get bound() {
      return [...bound];
    },
    start(make) {
      makeOffer = make;
      if (role === 'listener') for (const carrier of servers) bind(carrier);
      statuses = carriers.statuses$.subscribe(watch);
    },
    send(message) {
      if (bound.size === 0) return;
      const envelope = channel.seal(message);
      for (const carrier of bound) carrier.send(session, envelope);
    },
    offerAgain() {
      for (const server of servers) if (carriers.statusOf(server).state === 'online') offer(server);
    },
    handle(carrier, event) {
      switch (event.type) {
        case 'offer':
        case 'envelope':
          return openEnvelope(carrier, event.envelope);
        case 'standing':
          return openStandingAnswer(carrier, event.envelope);
        case 'unreachable':
          return event.reason === 'declined' ? on.declined() : fail(carrier, event.reason);
        case 'error':
          return on.failed(event.code, event.message);
        case 'registered':
        case 'replaced':
          return;
      }
    },
    close() {
      statuses?.unsubscribe();
      for (const carrier of servers) {
        stopRetrying(carrier);
        carrier.leave(session);
      }
      bound.clear();
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
