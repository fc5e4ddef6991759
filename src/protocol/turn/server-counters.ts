import type { ErrorResponseCode } from '../stun/index.ts';

/** Why something that came was not answered or relayed. */
export type TurnServerDrop =
  /** Cannot be decoded, or is neither STUN nor ChannelData. */
  | 'malformed'
  /** A response, or a method that clients do not send. */
  | 'foreign'
  /** More requests of its source than `limits.requests`. */
  | 'rate'
  /** Data of a client without allocation, on a channel that is not bound, or for an address that is no peer. */
  | 'unbound'
  /** Data of or for a peer without permission. */
  | 'unpermitted'
  /** Data beyond `limits.relay`, or more than a datagram can hold. */
  | 'bandwidth';

export interface TurnServerCounters {
  /** That there are. */
  readonly allocations: number;
  readonly reservations: number;
  /** Since the start. */
  readonly allocated: number;
  /** Requests that were answered with success. */
  readonly granted: number;
  /** Requests that were answered with an error, by its code. */
  readonly refused: Readonly<Partial<Record<ErrorResponseCode, number>>>;
  readonly dropped: Readonly<Record<TurnServerDrop, number>>;
  /** Data, both ways together. */
  readonly relayedDatagrams: number;
  readonly relayedBytes: number;
}

/** The counters that only grow. */
export class TurnServerTotals {
  allocated = 0;
  granted = 0;
  relayedDatagrams = 0;
  relayedBytes = 0;
  readonly refused: Partial<Record<ErrorResponseCode, number>> = {};
  readonly dropped: Record<TurnServerDrop, number> = {
    malformed: 0,
    foreign: 0,
    rate: 0,
    unbound: 0,
    unpermitted: 0,
    bandwidth: 0,
  };

  refuse(code: ErrorResponseCode): void {
    this.refused[code] = (this.refused[code] ?? 0) + 1;
  }

  relay(bytes: number): void {
    this.relayedDatagrams++;
    this.relayedBytes += bytes;
  }
}
