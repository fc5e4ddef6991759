import { Fields } from '../fields.ts';

/** When a session is forgotten: times in ms since the last packet that refreshed it. */
export interface SessionTimers {
  /** Which direction's packets refresh a UDP session (RFC 4787 REQ-6). TCP's are refreshed by both. */
  readonly refresh: 'outbound' | 'inbound' | 'both';
  readonly udp: UdpTimeouts;
  readonly tcp: TcpTimeouts;
}

/** Before packets went both ways, and after (RFC 4787 REQ-5). */
export interface UdpTimeouts {
  readonly unanswered: number;
  readonly answered: number;
}

/** While a connection is opened or closed, and between (RFC 5382 REQ-5). */
export interface TcpTimeouts {
  readonly transitory: number;
  readonly established: number;
}

export const REFRESH_DIRECTIONS: readonly SessionTimers['refresh'][] = ['outbound', 'inbound', 'both'];

/** What RFC 4787 REQ-5c recommends. */
export const DEFAULT_UDP: UdpTimeouts = { unanswered: 300_000, answered: 300_000 };

/** The least that RFC 5382 REQ-5 allows. */
export const DEFAULT_TCP: TcpTimeouts = { transitory: 240_000, established: 7_440_000 };

export function readUdpTimeouts(value: unknown, path: string): UdpTimeouts {
  const fields = new Fields(value, path, ['unanswered', 'answered']);
  return {
    unanswered: fields.integer('unanswered', TIMEOUT) ?? DEFAULT_UDP.unanswered,
    answered: fields.integer('answered', TIMEOUT) ?? DEFAULT_UDP.answered,
  };
}

export function readTcpTimeouts(value: unknown, path: string): TcpTimeouts {
  return tcpTimeouts(new Fields(value, path, ['transitory', 'established']));
}

/** The timeouts among other fields. */
export function tcpTimeouts(fields: Fields): TcpTimeouts {
  return {
    transitory: fields.integer('transitory', TIMEOUT) ?? DEFAULT_TCP.transitory,
    established: fields.integer('established', TIMEOUT) ?? DEFAULT_TCP.established,
  };
}

/** 1 ms to a week. */
const TIMEOUT = { min: 1, max: 604_800_000 };
