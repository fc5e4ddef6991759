import type { InspectionEvent } from 'xstate';
import type { Endpoint } from '../core/endpoint.ts';
import type { Log } from '../core/log.ts';
import type { SessionStats } from '../core/session.ts';
import type { Verdict } from '../core/verdict.ts';
import type { PairSnapshot } from '../protocol/ice/index.ts';
import type { Reachability } from './discovery.ts';

/**
 * Sees all that a peer does and comes to know; recorders and inspectors are observers. It is called in the midst of things: it must
 * not wait, and what it is given it must not change. What it has no method for it is not told, and that costs nothing. `connection`
 * is the id of one.
 */
export interface PeerObserver {
  /** Charts, and every actor within them. */
  readonly inspect?: (event: InspectionEvent) => void;
  /** Diagnostics. */
  readonly log?: Log;
  /** Candidates and NAT behaviour, the current ones first. */
  reachability?(reachability: Reachability): void;
  /** What is said over signalling carriers, without what is in it. */
  signal?(signal: SeenSignal): void;
  /** Headers of UDP packets: of many that are alike, some. */
  packet?(packet: SeenPacket): void;
  /** The checklist of a connection, whenever it may have changed. */
  pairs?(connection: string, pairs: readonly PairSnapshot[]): void;
  /** What its session has carried so far, once a second. */
  stats?(connection: string, stats: SessionStats): void;
  verdict?(connection: string, verdict: Verdict): void;
}

export interface SeenSignal {
  readonly way: 'sent' | 'received';
  /** `offer`, `envelope`, `register`, `online`, .. */
  readonly message: string;
  /** Name of the carrier. */
  readonly carrier: string;
  readonly connection?: string;
  /** Bytes of the envelope. */
  readonly length?: number;
}

export interface SeenPacket {
  readonly way: 'sent' | 'received';
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Bytes of the payload. */
  readonly length: number;
  /** What it is by its first bytes, where they tell. */
  readonly carries: string | undefined;
  /** How many more like this there were since the last one that was told. */
  readonly more: number;
}
