import type { Rate } from '../../core/token-bucket.ts';
import { MAX_STANDING } from './wire.ts';

/** Every bound of a rendezvous server. Times in ms, sizes in bytes, rates a second. */
export interface ServerLimits {
  /** Connected clients, and those of one source: an IPv4 address or an IPv6 /64. */
  readonly clients: number;
  readonly clientsPerSource: number;
  /** TCP connections that are no WebSocket yet, and those of one source; beyond `halfOpen`, the oldest gives way. */
  readonly halfOpen: number;
  readonly halfOpenPerSource: number;
  /** How long a connection may take to become a WebSocket, TLS included. */
  readonly halfOpenFor: number;
  /** New connections of one source. */
  readonly connectionsPerSource: Rate;
  /** Wrong tokens of one source; beyond, right ones are refused too. */
  readonly wrongTokensPerSource: Rate;
  /** Sources remembered; beyond, the one without a connection that was not heard of for longest is forgotten. */
  readonly sources: number;
  /** Sessions of all clients, of those of one source as dialers, and that one client takes part in. */
  readonly sessions: number;
  readonly sessionsPerSource: number;
  readonly sessionsPerClient: number;
  /**
   * Sessions that one listener has not answered; beyond, the oldest of the source that has most of them gives way to a
   * new one.
   */
  readonly unansweredPerListener: number;
  /** How long a session may stay unanswered. */
  readonly unansweredFor: number;
  /** How long a session waits for an end that lost its connection. */
  readonly absentFor: number;
  /**
   * Standing answers of one registration (more than 16 fit no frame), and the memory of all of them, and of one
   * source's.
   */
  readonly standing: number;
  readonly standingBytes: number;
  readonly standingBytesPerSource: number;
  /** Control frames of one client, where each begun 4 KiB counts as one, and of one source's clients together. */
  readonly control: Rate;
  readonly controlPerSource: Rate;
  /** Those of them that make others work: offers and registrations. */
  readonly requests: Rate;
  readonly requestsPerSource: Rate;
  /** Registrations of one client; each costs the server the check of a signature. */
  readonly registrations: Rate;
  /** Offers that one listener is handed in 10 s; no source may have more of them than it leaves to all others. */
  readonly offersPerListener: number;
  /**
   * Frames of one client that are refused, or binary ones that are no datagrams, where each begun 4 KiB counts as one;
   * beyond, it is disconnected.
   */
  readonly refusals: Rate;
  /** Bytes that one client, and one source's clients together, may have relayed. */
  readonly relay: Rate;
  readonly relayPerSource: Rate;
  /** Datagrams of one client that are dropped; beyond, it is held back if they are too many, disconnected if not. */
  readonly drops: Rate;
  /** Longest relayed datagram. */
  readonly datagram: number;
  /** What a session may relay before the listener has answered: whichever is reached first. */
  readonly earlyDatagrams: number;
  readonly earlyBytes: number;
  /** Pings and pongs of one client. */
  readonly pings: Rate;
  /** How long a client may take to complete a message that it has begun. */
  readonly messageFor: number;
  /** Begun messages of all clients together; beyond, clients with more than 4 KiB of them are disconnected. */
  readonly begunBytes: number;
  /** What waits for all slow readers together; beyond, they are treated as if their own queues were full. */
  readonly queuedBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultServerLimits: ServerLimits = {
  clients: 10_000,
  clientsPerSource: 1_000,
  halfOpen: 4_096,
  halfOpenPerSource: 64,
  halfOpenFor: 10_000,
  connectionsPerSource: { rate: 50, burst: 1_000 },
  wrongTokensPerSource: { rate: 1, burst: 20 },
  sources: 65_536,
  sessions: 100_000,
  sessionsPerSource: 20_000,
  sessionsPerClient: 4_096,
  unansweredPerListener: 256,
  unansweredFor: 60_000,
  absentFor: 150_000,
  standing: MAX_STANDING,
  standingBytes: 64 * MIB,
  standingBytesPerSource: 16 * MIB,
  control: { rate: 200, burst: 2_000 },
  controlPerSource: { rate: 4_000, burst: 40_000 },
  requests: { rate: 20, burst: 1_000 },
  requestsPerSource: { rate: 200, burst: 4_000 },
  registrations: { rate: 5, burst: 200 },
  offersPerListener: 2_000,
  refusals: { rate: 1, burst: 100 },
  relay: { rate: 16 * MIB, burst: 2 * MIB },
  relayPerSource: { rate: 32 * MIB, burst: 8 * MIB },
  drops: { rate: 500, burst: 10_000 },
  datagram: 1_500,
  earlyDatagrams: 8,
  earlyBytes: 10 * KIB,
  pings: { rate: 2, burst: 60 },
  messageFor: 20_000,
  begunBytes: 64 * MIB,
  queuedBytes: 256 * MIB,
};
