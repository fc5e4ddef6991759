import type { CandidateTransport, CandidateType } from '../core/candidate.ts';
import type { PathInfo } from '../core/path.ts';
import type { RunEvent, Scenario } from '../scenario/index.ts';
import type { WorldEvent } from '../sim/index.ts';
import type { TracePacket } from './trace-packet.ts';

/**
 * A trace is text, one JSON object a line: a header, records in the order in which things happened, and a last record `end`.
 * It is described in docs/traces.md. What a reader does not know it ignores, fields and records alike, as long as the
 * version is its own; only the replay of a simulated run compares everything.
 */
export const TRACE_FORMAT = 'sallyport-trace';
export const TRACE_VERSION = 1;

/** The first line. A simulated run can be made again from it alone. */
export type TraceHeader = {
  readonly format: typeof TRACE_FORMAT;
  readonly version: typeof TRACE_VERSION;
  /** The version of Sallyport that wrote it. */
  readonly sallyport: string;
} & TracedWorld;

export type TracedWorld = { readonly world: 'real' } | { readonly world: 'simulated'; readonly scenario: Scenario };

/**
 * Every other line. `t`: virtual time of a simulated run, else time since the trace was begun; in ms, to the microsecond.
 */
export type TraceRecord = { readonly t: number } & (PeerRecord | WorldRecord | TracePacketRecord | EndRecord);

/** What the peer of that name did or came to know. */
export type PeerRecord = { readonly who: string } & (
  | ChartRecord
  | EventRecord
  | PathRecord
  | CandidateRecord
  | LogRecord
  | StepRecord
  | VerdictRecord
);

/** Which state a chart is in, as XState writes it. */
export interface TracedState {
  readonly state: StateText;
  /** Absent: `active`. */
  readonly status?: 'done' | 'error' | 'stopped';
}

/** A state value of XState: a name, or regions and what is within them. */
export type StateText = string | { readonly [region: string]: StateText | undefined };

/** A chart was started; `actor` names it from now on. */
export interface ChartRecord extends TracedState {
  readonly what: 'chart';
  readonly actor: string;
  /** Which of the charts that are exported. */
  readonly chart: ChartName;
  readonly input: unknown;
}

export type ChartName = 'peer' | 'connection' | 'lease';

/** A chart took an event; the state is the one after it. */
export interface EventRecord extends TracedState {
  readonly what: 'event';
  readonly actor: string;
  readonly event: TracedEvent;
}

export interface TracedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A connection sends on this path from now on, or on none. */
export interface PathRecord {
  readonly what: 'path';
  readonly actor: string;
  readonly path: PathInfo | null;
}

/** The peer may be reached at `address`, as far as it knows. */
export type CandidateRecord = CandidateTransport & {
  readonly what: 'candidate';
  readonly type: CandidateType;
  /** `ip:port`. */
  readonly address: string;
  readonly base: string;
  readonly priority: number;
};

/** What the peer told its log. */
export interface LogRecord {
  readonly what: 'log';
  readonly event: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** How far a peer of a scenario has come; `fields` as the scenario tells them. */
export interface StepRecord {
  readonly what: 'step';
  readonly step: StepName;
  readonly actor?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** News of a run that no other kind of record tells. */
export type StepName = Exclude<
  RunEvent['type'],
  'packet' | 'world' | 'machine' | 'reachability' | 'log' | 'state' | 'path' | 'verdict'
>;

/** A connection has ended. */
export interface VerdictRecord {
  readonly what: 'verdict';
  readonly actor: string;
  /** `Verdict`, redacted. */
  readonly verdict: unknown;
}

/** Something happened to the simulated internet by plan. */
export interface WorldRecord {
  readonly what: 'world';
  readonly event: WorldEvent;
}

/** What became of a packet of the simulated internet: headers and sizes. */
export interface TracePacketRecord extends TracePacket {
  readonly what: 'packet';
}

/** The trace is whole: so many records stand between its header and this one. */
export interface EndRecord {
  readonly what: 'end';
  readonly records: number;
}
