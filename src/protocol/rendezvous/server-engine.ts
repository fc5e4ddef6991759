import { byteKey } from '../../core/byte-key.ts';
import { DecodeError, type ErrorCode } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { verifyRegistration } from './registration-proof.ts';
import { createRegistrations } from './registrations.ts';
import { type ClientId, createServerClient, frameCost, type ServerClient } from './server-client.ts';
import { createTotals, type RefusalReason, type RendezvousCounters } from './server-counters.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';
import { createServerOffers } from './server-offers.ts';
import { createServerRelay } from './server-relay.ts';
import { createServerSource, type ServerSource } from './server-source.ts';
import { createSessionTable, otherEnd, type ServerSession, type SessionEnd } from './session-table.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  type EnvelopeFrame,
  encodeFrame,
  type LeaveFrame,
  type LookupFrame,
  type OfferFrame,
  type RegisterFrame,
  type ServerFrame,
  WIRE_VERSION,
} from './wire.ts';

/**
 * The rendezvous server without its sockets: introduces dialers to listeners, carries their envelopes, relays their
 * datagrams. It reads no envelope, and every table in it is bounded. Nothing that a client sends makes it throw. `now`
 * is in ms and monotonic.
 */
export interface RendezvousEngine {
  connect(client: ClientId, now: number, arrival: Arrival): readonly EngineAction[];
  /** A text frame (control) or a binary one (a datagram to relay). */
  receive(client: ClientId, frame: string | Uint8Array, now: number): readonly EngineAction[];
  /** `silent`: the connection was given up after it had said nothing for long, so its peer may live on. */
  disconnect(client: ClientId, now: number, silent?: boolean): readonly EngineAction[];
  counters(): RendezvousCounters;
}

/** How a client came here. */
export interface Arrival {
  /**
   * This server's name as the client dialled it, 1..255 visible ASCII characters: what its registrations are signed
   * for.
   */
  readonly name: string;
  /** Absent: the client is bounded by itself only. */
  readonly source?: ServerSource;
}

export type EngineAction =
  | { readonly type: 'send'; readonly client: ClientId; readonly frame: string }
  /** A datagram: to be dropped rather than queued when the client is slow. */
  | { readonly type: 'relay'; readonly client: ClientId; readonly frame: Uint8Array }
  /** The client sends much faster than it is relayed: nothing more is to be read from it for a moment. */
  | { readonly type: 'hold'; readonly client: ClientId }
  /** The client is forgotten already: nothing that it sends from now on does anything. */
  | { readonly type: 'close'; readonly client: ClientId; readonly code: number; readonly reason: string };

export interface RendezvousEngineOptions {
  readonly random: Random;
  /** Told to clients: `host:port`, or `:port` for the host that the client dialled. */
  readonly stun: readonly string[];
  /** Whether datagrams are relayed. */
  readonly relay: boolean;
  readonly limits?: Partial<ServerLimits>;
}

export function createRendezvousEngine(options: RendezvousEngineOptions): RendezvousEngine {
  const limits = { ...defaultServerLimits, ...options.limits };
  const clients = new Map<ClientId, ServerClient>();
  const registrations = createRegistrations(limits);
  const sessions = createSessionTable(limits);
  const offers = createServerOffers(limits);
  const totals = createTotals();
  const relay = createServerRelay({ enabled: options.relay, limits, totals, sessions, endOf });

  function handle(client: ServerClient, frame: ClientFrame, now: number): EngineAction[] {
    switch (frame.type) {
      case 'register':
        return register(client, frame, now);
      case 'lookup':
        return lookup(client, frame, now);
      case 'offer':
        return offer(client, frame, now);
      case 'envelope':
        return forward(client, frame, now);
      case 'leave':
        return leave(client, frame, now);
    }
  }

  function register(client: ServerClient, frame: RegisterFrame, now: number): EngineAction[] {
    if (!client.registrations.take(1, now) || !client.requests.take(1, now)) {
      return [refuse(client, 'rate', 'too many registrations', now)];
    }
    if (!verifyRegistration(frame, client.name, client.challenge)) {
      return [refuse(client, 'signature', 'the registration is not signed with its key', now)];
    }
    const replaced = registrations.set(byteKey(frame.key), client, frame);
    if (replaced === client) return [send(client, { type: 'replaced' })];
    const actions = [send(client, { type: 'registered' })];
    return replaced === undefined ? actions : [send(replaced, { type: 'replaced' }), ...actions];
  }

  function lookup(client: ServerClient, { session, key }: LookupFrame, now: number): EngineAction[] {
    if (!client.requests.take(1, now)) return [refuse(client, 'rate', 'too many lookups', now, session)];
    const contact = registrations.contact(byteKey(key));
    return [send(client, { type: 'contact', session, ...(contact && { contact }) })];
  }

  function offer(client: ServerClient, frame: OfferFrame, now: number): EngineAction[] {
    const { session: id, ticketId, envelope } = frame;
    if (!client.requests.take(1, now)) return [refuse(client, 'rate', 'too many offers', now, id)];
    const listenerKey = byteKey(frame.to);
    const callerToken = byteKey(frame.caller);
    const known = sessions.get(id);
    if (known !== undefined && (known.listenerKey !== listenerKey || known.callerToken !== callerToken)) {
      return [refuse(client, 'foreign-session', 'this session belongs to others', now, id)];
    }
    const listener = registrations.holder(listenerKey);
    if (listener === undefined || listener === client) return [unreachable(client, id, 'unknown')];
    if (!offers.take(listenerKey, client.source, now)) {
      return [refuse(client, 'listener-busy', 'this listener is offered too many sessions', now, id)];
    }
    const actions = known === undefined ? makeRoom(listener) : [];
    if (known === undefined && !sessions.hasRoom(client, listener)) {
      return [...actions, refuse(client, 'sessions', 'too many sessions', now, id)];
    }
    const session = known ?? sessions.open({ id, listenerKey, callerToken, source: client.source }, now);
    sessions.bind(session, 'dialer', client, now);
    sessions.bind(session, 'listener', listener, now);
    totals.offers++;
    const standing = registrations.standing(listenerKey, ticketId);
    if (standing !== undefined) actions.push(send(client, { type: 'standing', session: id, envelope: standing }));
    actions.push(send(listener, { type: 'offer', session: id, ticketId, envelope }));
    return actions;
  }

  function forward(client: ServerClient, frame: EnvelopeFrame, now: number): EngineAction[] {
    const session = sessions.get(frame.session);
    const mine = session && endOf(session, client, now);
    if (session === undefined || mine === undefined) return [unreachable(client, frame.session, 'unknown')];
    if (mine === 'listener') sessions.answer(session);
    const other = session[otherEnd(mine)];
    if (other === undefined) return [unreachable(client, frame.session, 'silent')];
    totals.envelopes++;
    return [send(other, frame)];
  }

  function leave(client: ServerClient, frame: LeaveFrame, now: number): EngineAction[] {
    const session = sessions.get(frame.session);
    const mine = session && endOf(session, client, now);
    if (session === undefined || mine === undefined) return [];
    sessions.bind(session, mine, undefined, now);
    return end(session, mine === 'listener' && !session.answered ? 'declined' : 'gone');
  }

  /**
   * Which end of the session this client is. A listener that came back on a new connection and proved its key again
   * takes its end up with the first thing it sends.
   */
  function endOf(session: ServerSession, client: ServerClient, now: number): SessionEnd | undefined {
    if (session.dialer === client) return 'dialer';
    if (session.listener === client) return 'listener';
    if (session.listenerKey !== client.key || client.sessions.size >= limits.sessionsPerClient) return undefined;
    sessions.bind(session, 'listener', client, now);
    return 'listener';
  }

  /** Ends one of the sessions that this listener has left unanswered, when there are too many of them. */
  function makeRoom(listener: ServerClient): EngineAction[] {
    if (listener.unanswered.size < limits.unansweredPerListener) return [];
    const crowding = sessions.mostCrowding(listener);
    return crowding === undefined ? [] : end(crowding);
  }

  /** Forgets a session and tells the ends that are there. */
  function end(session: ServerSession, reason: 'gone' | 'declined' = 'gone'): EngineAction[] {
    const ends = [session.dialer, session.listener].filter((client) => client !== undefined);
    sessions.remove(session);
    return ends.map((client) => unreachable(client, session.id, reason));
  }

  function refuse(
    client: ServerClient,
    reason: Exclude<RefusalReason, 'full' | 'source-full'>,
    message: string,
    now: number,
    session?: Uint8Array,
  ): EngineAction {
    totals.refused[reason]++;
    return complain(client, REFUSAL_CODES[reason], message, now, session);
  }

  /** Tells what was wrong; whoever goes on like that is disconnected. */
  function complain(
    client: ServerClient,
    code: ErrorCode,
    message: string,
    now: number,
    session?: Uint8Array,
  ): EngineAction {
    if (!client.refusals.take(1, now)) client.offence = 'too many frames that were refused';
    return send(client, { type: 'error', code, message, ...(session && { session }) });
  }

  function control(client: ServerClient, text: string, now: number): EngineAction[] {
    if (!client.control.take(frameCost(text.length), now)) {
      return [refuse(client, 'rate', 'too many frames', now)];
    }
    let frame: ClientFrame;
    try {
      frame = decodeClientFrame(text);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      totals.malformed++;
      return [complain(client, 'ERR_PROTOCOL', error.message.slice(0, 300), now)];
    }
    return handle(client, frame, now);
  }

  /** Why there is no room for one more client of this source, if there is none. */
  function turnAway(source: ServerSource): { refusal: RefusalReason; reason: string } | undefined {
    if (clients.size >= limits.clients) return { refusal: 'full', reason: 'this server is full' };
    if (source.clients >= limits.clientsPerSource) {
      return { refusal: 'source-full', reason: 'too many clients of your address' };
    }
    return undefined;
  }

  /** Forgets a client, and tells the other ends of its sessions. */
  function forget(client: ServerClient, silent: boolean, now: number): EngineAction[] {
    clients.delete(client.id);
    client.source.clients--;
    registrations.remove(client);
    return [...client.sessions].flatMap((session) => {
      sessions.bind(session, session.dialer === client ? 'dialer' : 'listener', undefined, now);
      const other = session.dialer ?? session.listener;
      if (!session.answered || other === undefined) return end(session);
      // Registered anew, the listener is on another connection already.
      const isBack = session.dialer === other && registrations.holder(session.listenerKey) !== undefined;
      return [unreachable(other, session.id, silent || isBack ? 'silent' : 'gone')];
    });
  }

  /** Disconnects a client that has gone too far. */
  function punish(client: ServerClient, now: number): EngineAction[] {
    if (client.offence === undefined) return [];
    totals.cutOff++;
    const close = { type: 'close', client: client.id, code: CLOSE_POLICY_VIOLATION, reason: client.offence } as const;
    return [close, ...forget(client, false, now)];
  }

  return {
    connect(id, now, { name, source = createServerSource(limits, now) }) {
      const full = turnAway(source);
      if (full !== undefined) {
        totals.refused[full.refusal]++;
        return [{ type: 'close', client: id, code: CLOSE_TRY_AGAIN_LATER, reason: full.reason }];
      }
      const client = createServerClient({ id, source, name, limits, random: options.random }, now);
      clients.set(id, client);
      source.clients++;
      const { stun, relay } = options;
      const { standing, datagram } = limits;
      const { challenge } = client;
      return [
        send(client, { type: 'hello', v: WIRE_VERSION, name, challenge, stun, relay, limits: { standing, datagram } }),
      ];
    },
    receive(id, frame, now) {
      const client = clients.get(id);
      if (client === undefined) return [];
      const overdue = sessions.findExpired(now).flatMap((session) => end(session));
      const actions = typeof frame === 'string' ? control(client, frame, now) : relay(client, frame, now);
      if (overdue.length === 0 && client.offence === undefined) return actions;
      return [...overdue, ...actions, ...punish(client, now)];
    },
    disconnect(id, now, silent = false) {
      const client = clients.get(id);
      return client === undefined ? [] : forget(client, silent, now);
    },
    counters: () => ({
      clients: clients.size,
      registrations: registrations.size,
      sessions: sessions.size,
      standingBytes: registrations.standingBytes,
      ...totals,
      dropped: { ...totals.dropped },
      refused: { ...totals.refused },
    }),
  };
}

function unreachable(
  client: ServerClient,
  session: Uint8Array,
  reason: 'unknown' | 'declined' | 'gone' | 'silent',
): EngineAction {
  return send(client, { type: 'unreachable', session, reason });
}

function send(client: ServerClient, frame: ServerFrame): EngineAction {
  return { type: 'send', client: client.id, frame: encodeFrame(frame) };
}

const REFUSAL_CODES = {
  rate: 'ERR_BUSY',
  sessions: 'ERR_BUSY',
  'listener-busy': 'ERR_BUSY',
  signature: 'ERR_PEER_KEY',
  'foreign-session': 'ERR_SERVER_REFUSED',
} as const;

/** RFC 6455 section 7.4.1, and "try again later" (IANA WebSocket close codes). */
const CLOSE_POLICY_VIOLATION = 1008;
const CLOSE_TRY_AGAIN_LATER = 1013;
