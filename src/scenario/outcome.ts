import type { CandidateType } from '../core/candidate.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { PathInfo, PathKind } from '../core/path.ts';
import type { Verdict } from '../core/verdict.ts';
import type { ConnectionState } from '../index.ts';

/** What came of a scenario: plain data, the same in every run. */
export interface Outcome {
  /** One for each dial, in the order of the plan. */
  readonly dials: readonly DialOutcome[];
  /** ms of virtual time when the last peer had closed. */
  readonly endedAt: number;
  /** What the peers had not released 2 s later: none, unless there is a bug. */
  readonly leftOver: LeftOver;
}

export interface LeftOver {
  readonly timers: number;
  /** UDP sockets, and TCP connections and listeners; those that wait for late segments only do not count. */
  readonly sockets: number;
}

/** Times are in ms of virtual time since the dial, to the microsecond; absent: it did not come to that. */
export interface DialOutcome {
  readonly from: string;
  readonly to: string;
  /** When it was dialled, in ms since the beginning of the run; absent: it was not. */
  readonly dialedAt?: number;
  /** Why it was not dialled, or what its stream failed with. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** The dialer's verdict: on which kind of path the connection was at its end. */
  readonly outcome: Verdict['outcome'];
  /** Established, as the dialer saw it. */
  readonly ready?: number;
  /** The first message is back. */
  readonly firstEcho?: number;
  /** The dialer is on a direct path for the first time. */
  readonly direct?: number;
  /** It has come to rest; absent: the run ended before. */
  readonly settled?: number;
  /** The dialer's last path. */
  readonly path?: PathInfo;
  readonly dialer?: SideOutcome;
  /** Absent: the other side never knew of it. */
  readonly listener?: SideOutcome;
  /** Answers to pings, in the order in which they were sent. */
  readonly pongs: readonly Pong[];
}

/** How one side saw a connection. Times are in ms since the dial. */
export interface SideOutcome {
  /** The chart's state values, each with the time from which it held. */
  readonly stages: readonly Stage[];
  /** Every path that it sent on, with the time from which it did. */
  readonly paths: readonly PathChange[];
  /** Of which kind the other side's candidate on the last direct path was: by this the path was made. */
  readonly remoteType?: CandidateType;
  /** Absent: the run ended before the connection did. */
  readonly verdict?: Verdict;
  /** IP packets that its host sent from the dial on until it settled, whatever for. */
  readonly packets: number;
}

export interface Stage {
  readonly at: number;
  readonly state: ConnectionState;
}

export interface PathChange {
  readonly at: number;
  /** Absent: none was left. */
  readonly path?: PathInfo;
}

export interface Pong {
  /** From 1 on. */
  readonly seq: number;
  readonly sentAt: number;
  readonly rtt: number;
  /** Direct only when both ways were. */
  readonly kind: PathKind;
}
