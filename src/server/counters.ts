import type { StunServerCounters } from '../protocol/stun/server.ts';
import type { ClientCounters } from './clients.ts';
import type { RejectionReason } from './refusal.ts';

/** What a running server has to do with now, and what it has done since its start. */
export interface ServerCounters extends ClientCounters {
  /** TCP connections that are no WebSocket yet, and addresses remembered. */
  readonly halfOpen: number;
  readonly sources: number;
  /** Connections that did not become a WebSocket. */
  readonly rejected: Readonly<Record<RejectionReason, number>>;
  /** `undefined` without STUN. */
  readonly stun: Readonly<StunServerCounters> | undefined;
}
