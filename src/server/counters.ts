import type { RendezvousCounters } from '../protocol/rendezvous/index.ts';
import type { StunServerCounters } from '../protocol/stun/server.ts';
import type { RejectionReason } from './refusal.ts';
import type { StunConnectionCounters } from './stun-connections.ts';

/** What a running server has to do with now, and what it has done since its start. */
export interface ServerCounters extends ClientCounters {
  /** TCP connections that are no WebSocket yet, and addresses remembered. */
  readonly halfOpen: number;
  readonly sources: number;
  /** Connections that did not become a WebSocket. */
  readonly rejected: Readonly<Record<RejectionReason, number>>;
  /** STUN on UDP; `undefined` without STUN. */
  readonly stun: Readonly<StunServerCounters> | undefined;
  /** STUN on TCP; `undefined` without STUN. */
  readonly stunTcp: Readonly<StunConnectionCounters> | undefined;
}

/** What became of clients and of what was sent to them. Sizes in bytes. */
export interface ClientCounters extends RendezvousCounters {
  /** What waits for slow readers, and what slow writers have begun. */
  readonly queuedBytes: number;
  readonly begunBytes: number;
  /** Relayed datagrams dropped because their reader was slow, and clients disconnected for the same reason. */
  readonly slowDatagrams: number;
  readonly slowClients: number;
  /** Clients disconnected for what they did to the WebSocket. */
  readonly offences: Readonly<Record<Offence, number>>;
}

/**
 * Why a client is disconnected: frames that RFC 6455 does not allow or that are too long; too many pings; a message
 * that took too long.
 */
export type Offence = 'frames' | 'pings' | 'message';
