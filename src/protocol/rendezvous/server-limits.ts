import type { Rate } from './token-bucket.ts';
import { MAX_STANDING } from './wire.ts';

/** Every bound of a rendezvous server. Times in ms, sizes in bytes. */
export interface ServerLimits {
  /** Connected clients. */
  readonly clients: number;
  /** Sessions of all clients. */
  readonly sessions: number;
  /** Sessions that one client takes part in. */
  readonly sessionsPerClient: number;
  /** Sessions that one listener has not answered; the oldest gives way to a new one, so that strangers cannot shut it off. */
  readonly unansweredPerListener: number;
  /** How long a session may stay unanswered. */
  readonly unansweredFor: number;
  /** How long a session waits for an end that lost its connection. */
  readonly absentFor: number;
  /** Standing answers of one registration (more than 16 fit no frame), and the memory of all of them together. */
  readonly standing: number;
  readonly standingBytes: number;
  /** Control frames of one client, where each begun 4 KiB counts as one. */
  readonly control: Rate;
  /** Those of them that make others work: offers and registrations. */
  readonly requests: Rate;
  /** Bytes that one client may have relayed. */
  readonly relay: Rate;
  /** Longest relayed datagram. */
  readonly datagram: number;
  /** What a session may relay before the listener has answered: whichever is reached first. */
  readonly earlyDatagrams: number;
  readonly earlyBytes: number;
}

export const defaultServerLimits: ServerLimits = {
  clients: 10_000,
  sessions: 100_000,
  sessionsPerClient: 4_096,
  unansweredPerListener: 256,
  unansweredFor: 60_000,
  absentFor: 150_000,
  standing: MAX_STANDING,
  standingBytes: 64 * 1024 * 1024,
  control: { rate: 200, burst: 2_000 },
  requests: { rate: 20, burst: 1_000 },
  relay: { rate: 16 * 1024 * 1024, burst: 2 * 1024 * 1024 },
  datagram: 1_500,
  earlyDatagrams: 8,
  earlyBytes: 10 * 1024,
};
