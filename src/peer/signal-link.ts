import type { Subscription } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { toHex } from '../core/hex.ts';
import type { Log } from '../core/log.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import type { Failure } from '../machines/connection-events.ts';
import {
  type CandidatesMessage,
  envelopeHash,
  type OfferMessage,
  openStanding,
  type PeerMessage,
  type RestartMessage,
  ticketId,
} from '../protocol/rendezvous/index.ts';
import type { CarrierStatus } from './carriers.ts';
import type { RuntimeOptions } from './runtime-contract.ts';

/** `servers`: where the dialer offers; where the listener's offer came from. */
export interface SignalLinkOptions
  extends Pick<RuntimeOptions, 'role' | 'ticket' | 'session' | 'channel' | 'carriers' | 'servers'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly on: SignalLinkEvents;
}

export interface SignalLinkEvents {
  /** A message of the other side, authentic and new; `envelope` is what it came in. */
  message(message: PeerMessage, envelope: Uint8Array): void;
  /** The other side can be reached over this carrier from now on. */
  bound(carrier: Signaling): void;
  /** The carrier cannot carry this session any more. */
  unbound(carrier: Signaling, reason: string): void;
  /** The other side was heard before, and no shared server reaches it any more. */
  gone(): void;
  /** Dialer: every server that can be reached has answered the offer in the listener's place. */
  refused(refusal: Failure): void;
  /** Dialer: no server can be reached. */
  failed(failure: Failure): void;
}

/** What a server says in the listener's place. */
const REFUSALS: Record<'unknown' | 'declined', Failure> = {
  unknown: {
    code: 'ERR_PEER_UNKNOWN',
    message: 'nobody listens with the key of this ticket: has the listener ended, or is it at another server?',
  },
  declined: {
    code: 'ERR_TICKET_REJECTED',
    message: 'the listener does not take this ticket: it was made by an earlier run, or the listener ended',
  },
};

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
  /** Where the session was offered, and where the other side was heard. */
  const involved = new Set(servers);
  const refusals = new Map<Signaling, Failure>();
  const offerHashes = new Set<string>();
  const retries = new Map<Signaling, { readonly timer: TimerHandle; readonly delay: number }>();
  /** The other side has taken part: what a server says in its place counts for less from then on. */
  let heard = role === 'listener';
  /** Some server has been reached since this began. */
  let wasOnline = false;
  let statuses: Subscription | undefined;
  let makeOffer: (() => OfferMessage | CandidatesMessage | RestartMessage) | undefined;

  const bind = (carrier: Signaling): void => {
    refusals.delete(carrier);
    stopRetrying(carrier);
    involved.add(carrier);
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
    if (message.type === 'offer') offerHashes.add(toHex(envelopeHash(envelope)));
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
    if (message.type === 'answer' && !offerHashes.has(toHex(message.offerHash))) {
      drop(carrier, 'the answer belongs to another offer');
      return;
    }
    heard = true;
    // What an answer allows must be known before the carrier is used.
    on.message(message, envelope);
    if (message.type !== 'reject') bind(carrier);
  };

  const openStandingAnswer = (carrier: Signaling, envelope: Uint8Array): void => {
    try {
      on.message(openStanding({ secret: ticket.secret, listenerKey: ticket.key, envelope }), envelope);
    } catch (error) {
      drop(carrier, error);
    }
  };

  /** What cannot be opened is not the other side's, and changes nothing. */
  const drop = (carrier: Signaling, reason: unknown): void => {
    log('envelope.dropped', { carrier: carrier.name, reason: String(reason) });
  };

  const refuse = (carrier: Signaling, refusal: Failure): void => {
    log('offer.refused', { carrier: carrier.name, ...refusal });
    unbind(carrier, refusal.message);
    refusals.set(carrier, refusal);
    if (role === 'listener') return;
    // Once the two have met, a server that does not know the other side may just have begun anew.
    if (heard) retry(carrier);
    else if ([...involved].every(isOut)) on.refused(refusal);
  };

  const isOut = (carrier: Signaling): boolean =>
    refusals.has(carrier) || carriers.statusOf(carrier).state === 'offline';

  const miss = (carrier: Signaling, reason: 'gone' | 'silent'): void => {
    unbind(carrier, 'the other side left the rendezvous server');
    if (role === 'dialer' && heard) retry(carrier);
    if (bound.size === 0 && reason === 'gone') on.gone();
  };

  const watch = ({ carrier, status }: CarrierStatus): void => {
    if (!involved.has(carrier)) return;
    if (status.state === 'online') {
      wasOnline = true;
      // A dialer offers; a listener that is back says something, by which the server knows its end again.
      if (role === 'dialer') offer(carrier);
      else bind(carrier);
      return;
    }
    unbind(carrier, 'the connection to the rendezvous server ended');
    stopRetrying(carrier);
    if (status.state !== 'offline' || role === 'listener') return;
    // A server that was there a moment ago is waited for, unless it has said that there is no point.
    const isOver = (server: Signaling): boolean => {
      const at = carriers.statusOf(server);
      return at.state === 'offline' && (!wasOnline || at.retryIn === undefined);
    };
    if (servers.every(isOver)) on.failed({ code: status.code, message: status.reason });
  };

  return {
    get bound() {
      return [...bound];
    },
    start(make) {
      makeOffer = make;
      statuses = carriers.statuses$.subscribe(watch);
    },
    send(message) {
      // Sealed anew for each, since the other side takes an envelope once and knows by it that the carrier works.
      for (const carrier of bound) carrier.send(session, channel.seal(message));
    },
    offerAgain() {
      for (const carrier of involved) if (carriers.statusOf(carrier).state === 'online') offer(carrier);
    },
    handle(carrier, event) {
      switch (event.type) {
        case 'offer':
        case 'envelope':
          return openEnvelope(carrier, event.envelope);
        case 'standing':
          return openStandingAnswer(carrier, event.envelope);
        case 'unreachable':
          if (event.reason === 'gone' || event.reason === 'silent') miss(carrier, event.reason);
          else refuse(carrier, REFUSALS[event.reason]);
          return;
        case 'error':
          return refuse(carrier, { code: event.code, message: event.message });
        case 'registered':
        case 'replaced':
          return;
      }
    },
    close() {
      statuses?.unsubscribe();
      for (const carrier of involved) {
        stopRetrying(carrier);
        carrier.leave(session);
      }
      bound.clear();
    },
  };
}
