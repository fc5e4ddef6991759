import { DecodeError, type ErrorCode } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { verifyRegistration } from './registration-proof.ts';
import { createRegistrations } from './registrations.ts';
import { decodeRelayFrame } from './relay-frame.ts';
import { type ClientId, createServerClient, idKey, type ServerClient } from './server-client.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';
import { createSessionTable, otherEnd, type ServerSession, type SessionEnd } from './session-table.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  type EnvelopeFrame,
  encodeFrame,
  type LeaveFrame,
  type OfferFrame,
  type RegisterFrame,
  type ServerFrame,
  WIRE_VERSION,
} from './wire.ts';

/**
 * The rendezvous server without its sockets: introduces dialers to listeners, carries their envelopes, relays their datagrams.
 * It reads no envelope, and every table in it is bounded. Nothing that a client sends makes it throw. `now` is in ms and monotonic.
 */
export interface RendezvousEngine {
  connect(client: ClientId, now: number): readonly EngineAction[];
  /** A text frame (control) or a binary one (a datagram to relay). */
  receive(client: ClientId, frame: string | Uint8Array, now: number): readonly EngineAction[];
  /** `silent`: the connection was given up after it had said nothing for long, so its peer may live on. */
  disconnect(client: ClientId, now: number, silent?: boolean): readonly EngineAction[];
  counters(): RendezvousCounters;
}

export type EngineAction =
  | { readonly type: 'send'; readonly client: ClientId; readonly frame: string }
  /** A datagram: to be dropped rather than queued when the client is slow. */
  | { readonly type: 'relay'; readonly client: ClientId; readonly frame: Uint8Array }
  | { readonly type: 'close'; readonly client: ClientId; readonly code: number; readonly reason: string };

export interface RendezvousCounters {
  /** What there is now. */
  readonly clients: number;
  readonly registrations: number;
  readonly sessions: number;
  /** What has been, since the start. */
  readonly offers: number;
  readonly envelopes: number;
  readonly relayedDatagrams: number;
  readonly relayedBytes: number;
  /** Datagrams of nobody's session, before the answer beyond what it may be, over the rate, too long, or cut. */
  readonly droppedDatagrams: number;
  /** Control frames that made no sense. */
  readonly malformed: number;
  /** Control frames that were understood and not obeyed. */
  readonly refused: number;
}

export interface RendezvousEngineOptions {
  /** 1..255 visible ASCII characters; what registrations are signed for. */
  readonly name: string;
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
  const totals = {
    offers: 0,
    envelopes: 0,
    relayedDatagrams: 0,
    relayedBytes: 0,
    droppedDatagrams: 0,
    malformed: 0,
    refused: 0,
  };

  function handle(client: ServerClient, frame: ClientFrame, now: number): EngineAction[] {
    switch (frame.type) {
      case 'register':
        return register(client, frame, now);
      case 'offer':
        return offer(client, frame, now);
      case 'envelope':
        return forward(client, frame, now);
      case 'leave':
        return leave(client, frame, now);
    }
  }

  function register(client: ServerClient, frame: RegisterFrame, now: number): EngineAction[] {
    if (!client.requests.take(1, now)) return [refuse(client, 'ERR_BUSY', 'too many registrations')];
    if (!verifyRegistration(frame, options.name, client.challenge)) {
      return [refuse(client, 'ERR_PEER_KEY', 'the registration is not signed with its key')];
    }
    const replaced = registrations.set(idKey(frame.key), client, frame.standing);
    const actions = [send(client, { type: 'registered' })];
    return replaced === undefined ? actions : [send(replaced, { type: 'replaced' }), ...actions];
  }

  function offer(client: ServerClient, frame: OfferFrame, now: number): EngineAction[] {
    const { session: id, ticketId, envelope } = frame;
    if (!client.requests.take(1, now)) return [refuse(client, 'ERR_BUSY', 'too many offers', id)];
    const listenerKey = idKey(frame.to);
    const callerToken = idKey(frame.caller);
    const known = sessions.get(id);
    if (known !== undefined && (known.listenerKey !== listenerKey || known.callerToken !== callerToken)) {
      return [refuse(client, 'ERR_SERVER_REFUSED', 'this session belongs to others', id)];
    }
    const listener = registrations.holder(listenerKey);
    if (listener === undefined || listener === client) return [unreachable(client, id, 'unknown')];
    const actions = known === undefined ? makeRoom(listener) : [];
    if (known === undefined && !sessions.hasRoom(client, listener)) {
      return [...actions, refuse(client, 'ERR_BUSY', 'too many sessions', id)];
    }
    const session = known ?? sessions.open({ id, listenerKey, callerToken }, now);
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

  function relay(client: ServerClient, frame: Uint8Array, now: number): EngineAction[] {
    const to = relayTarget(client, frame, now);
    if (to === undefined) {
      totals.droppedDatagrams++;
      return [];
    }
    totals.relayedDatagrams++;
    totals.relayedBytes += frame.length;
    return [{ type: 'relay', client: to.id, frame }];
  }

  /** Who is to get this datagram, if it may be relayed at all. */
  function relayTarget(client: ServerClient, frame: Uint8Array, now: number): ServerClient | undefined {
    const parts = options.relay ? decodeRelayFrame(frame) : undefined;
    if (parts === undefined || parts.datagram.length > limits.datagram) return undefined;
    const session = sessions.get(parts.session);
    const mine = session && endOf(session, client, now);
    const other = session && mine && session[otherEnd(mine)];
    if (session === undefined || other === undefined) return undefined;
    if (!session.answered) {
      const bytes = session.earlyBytes + parts.datagram.length;
      if (session.earlyDatagrams >= limits.earlyDatagrams || bytes > limits.earlyBytes) return undefined;
      session.earlyDatagrams++;
      session.earlyBytes = bytes;
    }
    return client.relay.take(frame.length, now) ? other : undefined;
  }

  /**
   * Which end of the session this client is. A listener that came back on a new connection and proved its key again takes its end
   * up with the first thing it sends.
   */
  function endOf(session: ServerSession, client: ServerClient, now: number): SessionEnd | undefined {
    if (session.dialer === client) return 'dialer';
    if (session.listener === client) return 'listener';
    if (session.listenerKey !== client.key || client.sessions.size >= limits.sessionsPerClient) return undefined;
    sessions.bind(session, 'listener', client, now);
    return 'listener';
  }

  /** Ends the oldest session that this listener has left unanswered, when there are too many of them. */
  function makeRoom(listener: ServerClient): EngineAction[] {
    const [oldest] = listener.unanswered;
    return oldest !== undefined && listener.unanswered.size >= limits.unansweredPerListener ? end(oldest) : [];
  }

  /** Forgets a session and tells the ends that are there. */
  function end(session: ServerSession, reason: 'gone' | 'declined' = 'gone'): EngineAction[] {
    const ends = [session.dialer, session.listener].filter((client) => client !== undefined);
    sessions.remove(session);
    return ends.map((client) => unreachable(client, session.id, reason));
  }

  function refuse(client: ServerClient, code: ErrorCode, message: string, session?: Uint8Array): EngineAction {
    totals.refused++;
    return send(client, { type: 'error', code, message, ...(session && { session }) });
  }

  function control(client: ServerClient, text: string, now: number): EngineAction[] {
    if (!client.control.take(Math.ceil(text.length / 4_096), now))
      return [refuse(client, 'ERR_BUSY', 'too many frames')];
    let frame: ClientFrame;
    try {
      frame = decodeClientFrame(text);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      totals.malformed++;
      return [send(client, { type: 'error', code: 'ERR_PROTOCOL', message: error.message.slice(0, 300) })];
    }
    return handle(client, frame, now);
  }

  return {
    connect(id, now) {
      if (clients.size >= limits.clients) {
        return [{ type: 'close', client: id, code: CLOSE_TRY_AGAIN_LATER, reason: 'this server is full' }];
      }
      const client = createServerClient(id, limits, options.random, now);
      clients.set(id, client);
      const { name, stun, relay } = options;
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
      return overdue.length === 0 ? actions : [...overdue, ...actions];
    },
    disconnect(id, now, silent = false) {
      const client = clients.get(id);
      if (client === undefined) return [];
      clients.delete(id);
      registrations.remove(client);
      return [...client.sessions].flatMap((session) => {
        sessions.bind(session, session.dialer === client ? 'dialer' : 'listener', undefined, now);
        const other = session.dialer ?? session.listener;
        if (!session.answered || other === undefined) return end(session);
        // Registered anew, the listener is on another connection already.
        const isBack = session.dialer === other && registrations.holder(session.listenerKey) !== undefined;
        return [unreachable(other, session.id, silent || isBack ? 'silent' : 'gone')];
      });
    },
    counters: () => ({ clients: clients.size, registrations: registrations.size, sessions: sessions.size, ...totals }),
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

/** "Try again later" (IANA WebSocket close codes). */
const CLOSE_TRY_AGAIN_LATER = 1013;
