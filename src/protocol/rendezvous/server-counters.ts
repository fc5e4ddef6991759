/** What a rendezvous server has to do with now, and what it has done since its start. */
export interface RendezvousCounters {
  /** What there is now. */
  readonly clients: number;
  readonly registrations: number;
  readonly sessions: number;
  readonly standingBytes: number;
  /** What has been. */
  readonly offers: number;
  readonly envelopes: number;
  readonly relayedDatagrams: number;
  readonly relayedBytes: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly droppedBytes: number;
  /** Control frames that made no sense. */
  readonly malformed: number;
  /** Control frames that were understood and not obeyed, and clients that were turned away. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
  /** Clients disconnected after too many refusals or dropped datagrams. */
  readonly cutOff: number;
}

/**
 * Why a datagram was not relayed: it is cut, too long or of another type; of no session of the client, or its other end
 * is away; more than a session may have before its answer; over the rate; or this server relays nothing.
 */
export type DropReason = 'malformed' | 'unknown' | 'unanswered' | 'rate' | 'off';

/**
 * Why a client was refused: a rate, of the client or its source; too many sessions, clients, or clients of its source;
 * a registration that is not signed with its key; a session of others; a listener that is offered too much.
 */
export type RefusalReason =
  | 'rate'
  | 'sessions'
  | 'full'
  | 'source-full'
  | 'signature'
  | 'foreign-session'
  | 'listener-busy';

/** The part of the counters that only grows, at its start. */
export function createTotals() {
  const dropped: Record<DropReason, number> = { malformed: 0, unknown: 0, unanswered: 0, rate: 0, off: 0 };
  const refused: Record<RefusalReason, number> = {
    rate: 0,
    sessions: 0,
    full: 0,
    'source-full': 0,
    signature: 0,
    'foreign-session': 0,
    'listener-busy': 0,
  };
  return {
    offers: 0,
    envelopes: 0,
    relayedDatagrams: 0,
    relayedBytes: 0,
    dropped,
    droppedBytes: 0,
    malformed: 0,
    refused,
    cutOff: 0,
  };
}
