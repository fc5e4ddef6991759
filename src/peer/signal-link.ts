import type { Subscription } from 'rxjs';
import { type Backoff, createBackoff } from '../core/backoff.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { Deferred } from '../core/deferred.ts';
import { asTraversalError, DecodeError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Contact, Signaling, SignalingEvent } from '../core/signaling.ts';
import { createTokenBucket, type TokenBucket } from '../core/token-bucket.ts';
import type { Failure } from '../machines/connection-events.ts';
import {
  envelopeHash,
  type OfferMessage,
  openStanding,
  type PeerMessage,
  type RestartMessage,
} from '../protocol/rendezvous/index.ts';
import type { CarrierStatus } from './carriers.ts';
import type { Acquaintance } from './introduction.ts';
import type { RuntimeOptions } from './runtime-contract.ts';

/** `servers`: where the dialer offers; where the listener's offer came from. */
export interface SignalLinkOptions
  extends Pick<RuntimeOptions, 'role' | 'introduction' | 'session' | 'carriers' | 'servers'> {
  readonly clock: Clock;
  readonly random: Random;
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

/** What a dialer begins with, or goes on with once it was answered. */
export type MakeOffer = (acquaintance: Acquaintance) => OfferMessage | RestartMessage;

/** The sealed envelopes of one connection, over every carrier that both sides share. */
export interface SignalLink {
  /** ms from the offer to the answer; `undefined` before, and with a listener. */
  readonly roundTrip: number | undefined;
  /** Fulfils when a carrier that is not a person's hand reaches the other side, which may be never. */
  readonly reached: Promise<void>;
  bound(): readonly Signaling[];
  /**
   * Begins to watch the carriers. The dialer offers on each that is online, now and whenever it comes back, after it
   * has asked for the listener's contact where it needs it; once the listener has answered, also whenever the listener
   * may have come back.
   */
  start(makeOffer?: MakeOffer): void;
  /**
   * Seals and sends on every bound carrier; a message that no carrier takes is gone, for the next offer tells it all.
   */
  send(message: PeerMessage): void;
  /** Dialer: offers again on every carrier that is online, which binds the session anew. */
  offerAgain(): void;
  /** A carrier's event that names this session. */
  handle(carrier: Signaling, event: SignalingEvent): void;
  close(): void;
}

export function createSignalLink(options: SignalLinkOptions): SignalLink {
  const { role, introduction, session, carriers, servers, clock, random, log, on } = options;
  const bound = new Set<Signaling>();
  /** Where the session was offered, and where the other side was heard. */
  const involved = new Set(servers);
  /** Those that have answered the offer in the listener's place. */
  const refusals = new Set<Signaling>();
  /** Hashes of the offers, and when they were made. */
  const offers = new Map<string, number>();
  let roundTrip: number | undefined;
  /** Made for the first who waits for it. */
  let reached: Deferred | undefined;
  /** What each carrier may still make us open: one that floods takes nothing from the others. */
  const envelopes = new Map<Signaling, TokenBucket>();
  /** Where an offer is made again: an answered one since the listener is not there, any since the server is busy. */
  const retries = new Map<Signaling, Retry>();
  /** The other side has taken part: what a server says in its place counts for less from then on. */
  let heard = role === 'listener';
  /** Some server has been reached since this began. */
  let wasOnline = false;
  let statuses: Subscription | undefined;
  let makeOffer: MakeOffer | undefined;

  const bind = (carrier: Signaling): void => {
    refusals.delete(carrier);
    stopRetrying(carrier);
    involved.add(carrier);
    if (bound.has(carrier)) return;
    bound.add(carrier);
    if (carrier.byHand !== true) reached?.resolve();
    on.bound(carrier);
  };

  const unbind = (carrier: Signaling, reason: string): void => {
    if (bound.delete(carrier)) on.unbound(carrier, reason);
  };

  const offer = (carrier: Signaling): void => {
    if (makeOffer === undefined) return;
    const { listenerKey } = introduction;
    const acquaintance = introduction.at(carrier);
    if (acquaintance === undefined) {
      carrier.lookup({ session, key: listenerKey });
      return;
    }
    const { preface, channel, id } = acquaintance;
    const message = makeOffer(acquaintance);
    const envelope = new Uint8Array(Buffer.concat([preface, channel.seal(message)]));
    if (message.type === 'offer') offers.set(toHex(envelopeHash(envelope)), clock.now());
    carrier.offer({ session, to: listenerKey, ticketId: id, envelope });
  };

  /** A server has told the listener's contact, or that there is none. */
  const meet = (carrier: Signaling, contact: Contact | undefined): void => {
    try {
      if (contact === undefined) refuse(carrier, introduction.explain('unknown'));
      else if (introduction.learn(carrier, contact)) offer(carrier);
    } catch (error) {
      const { code, message } = asTraversalError(error, 'ERR_PEER_KEY');
      refuse(carrier, { code, message });
    }
  };

  /**
   * Offers again later: a listener that lost its connection, or whose server began anew, registers again in its own
   * time.
   */
  const retry = (carrier: Signaling): void => {
    const { backoff, count } = retries.get(carrier) ?? { backoff: createBackoff(random), count: 0 };
    stopRetrying(carrier);
    const timer = clock.setTimeout(() => offer(carrier), backoff.next());
    retries.set(carrier, { backoff, timer, count: count + 1 });
  };

  const stopRetrying = (carrier: Signaling): void => {
    clock.clearTimeout(retries.get(carrier)?.timer);
    retries.delete(carrier);
  };

  const envelopesOf = (carrier: Signaling): TokenBucket => {
    const bucket = envelopes.get(carrier) ?? createTokenBucket(ENVELOPES, clock.now());
    envelopes.set(carrier, bucket);
    return bucket;
  };

  /** `sealed`: the envelope without what goes before it in an offer. */
  const openEnvelope = (carrier: Signaling, envelope: Uint8Array, sealed = envelope): void => {
    if (!envelopesOf(carrier).take(1, clock.now())) {
      drop(carrier, 'too many envelopes');
      return;
    }
    const channel = introduction.at(carrier)?.channel;
    if (channel === undefined) {
      drop(carrier, 'nothing was said here before');
      return;
    }
    let message: PeerMessage;
    try {
      message = channel.open(sealed);
    } catch (error) {
      drop(carrier, error);
      return;
    }
    if (message.type === 'answer') {
      const offeredAt = offers.get(toHex(message.offerHash));
      if (offeredAt === undefined) {
        drop(carrier, 'the answer belongs to another offer');
        return;
      }
      roundTrip ??= clock.now() - offeredAt;
    }
    heard = true;
    for (const elsewhere of introduction.settle(carrier)) elsewhere.leave(session);
    // What an answer allows must be known before the carrier is used.
    on.message(message, envelope);
    if (message.type !== 'reject') bind(carrier);
  };

  const openStandingAnswer = (carrier: Signaling, envelope: Uint8Array): void => {
    const secret = introduction.at(carrier)?.secret;
    try {
      if (secret === undefined) throw new DecodeError('standing', 'no offer was made here');
      on.message(openStanding({ secret, listenerKey: introduction.listenerKey, envelope }), envelope);
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
    if (role === 'listener') return;
    const mayHaveTimeLater = refusal.code === 'ERR_BUSY' && (retries.get(carrier)?.count ?? 0) < BUSY_RETRIES;
    // Once the two have met, a server that does not know the other side may just have begun anew.
    if (heard || mayHaveTimeLater) {
      refusals.delete(carrier);
      retry(carrier);
      return;
    }
    stopRetrying(carrier);
    refusals.add(carrier);
    if ([...involved].every(isOut)) on.refused(refusal);
  };

  const decline = (carrier: Signaling, reason: 'unknown' | 'declined'): void => {
    if (reason === 'declined' && introduction.doubt(carrier)) offer(carrier);
    else refuse(carrier, introduction.explain(reason));
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
    get roundTrip() {
      return roundTrip;
    },
    get reached() {
      if ([...bound].some((carrier) => carrier.byHand !== true)) return Promise.resolve();
      reached ??= new Deferred();
      return reached.promise;
    },
    bound: () => [...bound],
    start(make) {
      makeOffer = make;
      statuses = carriers.statuses$.subscribe(watch);
    },
    send(message) {
      // Sealed anew for each, since the other side takes an envelope once and knows by it that the carrier works.
      const channel = introduction.settled?.channel;
      if (channel !== undefined) for (const carrier of bound) carrier.send(session, channel.seal(message));
    },
    offerAgain() {
      for (const carrier of involved) if (carriers.statusOf(carrier).state === 'online') offer(carrier);
    },
    handle(carrier, event) {
      switch (event.type) {
        case 'offer':
          return openEnvelope(
            carrier,
            event.envelope,
            event.envelope.subarray(introduction.at(carrier)?.preface.length),
          );
        case 'envelope':
          return openEnvelope(carrier, event.envelope);
        case 'contact':
          return meet(carrier, event.contact);
        case 'standing':
          return openStandingAnswer(carrier, event.envelope);
        case 'unreachable':
          if (event.reason === 'gone' || event.reason === 'silent') miss(carrier, event.reason);
          else decline(carrier, event.reason);
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
      for (const carrier of [...retries.keys()]) stopRetrying(carrier);
      for (const carrier of involved) carrier.leave(session);
      bound.clear();
    },
  };
}

/** An offer that is to be made again. */
interface Retry {
  readonly timer: TimerHandle;
  readonly backoff: Backoff;
  /** How often it was made again, this time included. */
  readonly count: number;
}

/** How often a server that is busy is offered the same again, which takes 8 to 16 s. */
const BUSY_RETRIES = 5;

/** Envelopes of one carrier that are opened: two sides in earnest say some ten when they meet, and a few a minute after. */
const ENVELOPES = { rate: 20, burst: 200 };
