import { byteKey } from '../../core/byte-key.ts';
import type { ServerClient } from './server-client.ts';
import type { ServerLimits } from './server-limits.ts';
import type { ServerSource } from './server-source.ts';

/** A session as the server sees it: two ends, of which one may be away for a while. */
export interface ServerSession {
  readonly id: Uint8Array;
  /** Key of the listener, as `byteKey` writes it. */
  readonly listenerKey: string;
  /** The caller's token: whoever shows it may take the dialer's end over to another connection. */
  readonly callerToken: string;
  /** Where it was opened from. */
  readonly source: ServerSource;
  dialer: ServerClient | undefined;
  listener: ServerClient | undefined;
  /** The listener has sent an envelope, and with it has agreed to be sent datagrams. */
  answered: boolean;
  /** Datagrams and bytes relayed before that. */
  earlyDatagrams: number;
  earlyBytes: number;
  /** When the session was opened, or when it lost an end, in ms. */
  since: number;
}

export type SessionEnd = 'dialer' | 'listener';

/** All sessions of a server. Each belongs to at least one connected client, so clients' bounds are the table's. */
export interface SessionTable {
  readonly size: number;
  get(id: Uint8Array): ServerSession | undefined;
  /** Whether one more session of these two fits. */
  hasRoom(dialer: ServerClient, listener: ServerClient): boolean;
  open(session: Pick<ServerSession, 'id' | 'listenerKey' | 'callerToken' | 'source'>, now: number): ServerSession;
  /** Gives an end to a client, which gives up the other end if it held that, or to nobody for now. */
  bind(session: ServerSession, end: SessionEnd, client: ServerClient | undefined, now: number): void;
  answer(session: ServerSession): void;
  /** Of the sessions that this listener has left unanswered, the oldest of the source that has most of them. */
  mostCrowding(listener: ServerClient): ServerSession | undefined;
  remove(session: ServerSession): void;
  /** Sessions that have waited too long for an answer or for an absent end; looks at most every 10 s. */
  findExpired(now: number): readonly ServerSession[];
}

export function createSessionTable(limits: ServerLimits): SessionTable {
  const sessions = new Map<string, ServerSession>();
  let sweptAt = 0;

  function unlink(session: ServerSession, end: SessionEnd): void {
    session[end]?.sessions.delete(session);
    session[end]?.unanswered.delete(session);
    session[end] = undefined;
  }

  function isExpired(session: ServerSession, now: number): boolean {
    if (!session.answered) return now - session.since > limits.unansweredFor;
    const complete = session.dialer !== undefined && session.listener !== undefined;
    return !complete && now - session.since > limits.absentFor;
  }

  return {
    get size() {
      return sessions.size;
    },
    get: (id) => sessions.get(byteKey(id)),
    hasRoom: (dialer, listener) =>
      sessions.size < limits.sessions &&
      dialer.source.sessions < limits.sessionsPerSource &&
      dialer.sessions.size < limits.sessionsPerClient &&
      listener.sessions.size < limits.sessionsPerClient,
    open({ id, listenerKey, callerToken, source }, now) {
      const session: ServerSession = {
        id,
        listenerKey,
        callerToken,
        source,
        dialer: undefined,
        listener: undefined,
        answered: false,
        earlyDatagrams: 0,
        earlyBytes: 0,
        since: now,
      };
      sessions.set(byteKey(id), session);
      source.sessions++;
      return session;
    },
    bind(session, end, client, now) {
      if (session[end] === client) return;
      unlink(session, end);
      if (client !== undefined && session[otherEnd(end)] === client) unlink(session, otherEnd(end));
      session[end] = client;
      if (client === undefined) session.since = now;
      client?.sessions.add(session);
      if (end === 'listener' && !session.answered) client?.unanswered.add(session);
    },
    answer(session) {
      session.answered = true;
      session.listener?.unanswered.delete(session);
    },
    mostCrowding({ unanswered }) {
      const counts = new Map<ServerSource, number>();
      for (const { source } of unanswered) counts.set(source, (counts.get(source) ?? 0) + 1);
      const most = Math.max(...counts.values());
      return [...unanswered].find(({ source }) => counts.get(source) === most);
    },
    remove(session) {
      unlink(session, 'dialer');
      unlink(session, 'listener');
      if (sessions.delete(byteKey(session.id))) session.source.sessions--;
    },
    findExpired(now) {
      if (now - sweptAt < SWEEP_INTERVAL) return [];
      sweptAt = now;
      return [...sessions.values()].filter((session) => isExpired(session, now));
    },
  };
}

export function otherEnd(end: SessionEnd): SessionEnd {
  return end === 'dialer' ? 'listener' : 'dialer';
}

const SWEEP_INTERVAL = 10_000;
