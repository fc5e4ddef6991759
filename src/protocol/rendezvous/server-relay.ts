import { decodeRelayFrame } from './relay-frame.ts';
import { frameCost, type ServerClient } from './server-client.ts';
import type { createTotals, DropReason } from './server-counters.ts';
import type { EngineAction } from './server-engine.ts';
import type { ServerLimits } from './server-limits.ts';
import { otherEnd, type ServerSession, type SessionEnd, type SessionTable } from './session-table.ts';

export interface ServerRelayOptions {
  /** False: everything is dropped. */
  readonly enabled: boolean;
  readonly limits: ServerLimits;
  readonly totals: ReturnType<typeof createTotals>;
  readonly sessions: SessionTable;
  readonly endOf: (session: ServerSession, client: ServerClient, now: number) => SessionEnd | undefined;
}

/**
 * Hands a binary frame of a client on to the other end of its session, byte for byte, or drops it without a word. A
 * client that is faster than its rate is held back, for it may be in earnest and have found out too late.
 */
export type ServerRelay = (client: ServerClient, frame: Uint8Array, now: number) => EngineAction[];

/** Whoever sends on and on what is dropped, or what is no datagram at all, commits an offence. */
export function createServerRelay({ enabled, limits, totals, sessions, endOf }: ServerRelayOptions): ServerRelay {
  /** Who is to get this datagram, or why nobody is. */
  function target(client: ServerClient, frame: Uint8Array, now: number): ServerClient | DropReason {
    if (!enabled) return 'off';
    const parts = decodeRelayFrame(frame);
    if (parts === undefined || parts.datagram.length > limits.datagram) return 'malformed';
    const session = sessions.get(parts.session);
    const mine = session && endOf(session, client, now);
    const other = session && mine && session[otherEnd(mine)];
    if (session === undefined || other === undefined) return 'unknown';
    const early = session.earlyBytes + parts.datagram.length;
    const isSpent = session.earlyDatagrams >= limits.earlyDatagrams || early > limits.earlyBytes;
    if (!session.answered && isSpent) return 'unanswered';
    if (!client.relay.take(frame.length, now)) return 'rate';
    if (!session.answered) {
      session.earlyDatagrams++;
      session.earlyBytes = early;
    }
    return other;
  }

  function drop(client: ServerClient, frame: Uint8Array, reason: DropReason, now: number): EngineAction[] {
    totals.dropped[reason]++;
    totals.droppedBytes += frame.length;
    if (!client.drops.take(1, now)) {
      if (reason === 'rate') return [{ type: 'hold', client: client.id }];
      client.offence = 'too many datagrams that cannot be relayed';
    }
    if (reason === 'malformed' && !client.refusals.take(frameCost(frame.length), now)) {
      client.offence = 'too many binary frames that are no datagrams';
    }
    return [];
  }

  return (client, frame, now) => {
    const to = target(client, frame, now);
    if (typeof to === 'string') return drop(client, frame, to, now);
    totals.relayedDatagrams++;
    totals.relayedBytes += frame.length;
    return [{ type: 'relay', client: to.id, frame }];
  };
}
