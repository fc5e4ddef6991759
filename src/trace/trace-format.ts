import type { CandidateTransport, CandidateType } from '../core/candidate.ts';
import type { NatBehavior } from '../core/nat-behavior.ts';
import type { PathInfo } from '../core/path.ts';
import type { SessionStats } from '../core/session.ts';
import type { RunEvent, Scenario } from '../scenario/index.ts';
import type { WorldEvent } from '../sim/index.ts';
import type { ChartDefinition } from './chart-definition.ts';
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

export type TracedWorld =
  | {
      readonly world: 'real';
      /** Wall time in ms since 1970 at which `t` is 0, so that several traces can be laid side by side. */
      readonly began?: number;
    }
  | { readonly world: 'simulated'; readonly scenario: Scenario };

/**
 * Every other line. `t`: virtual time of a simulated run, else time since the trace was begun; in ms, to the microsecond.
 */
export type TraceRecord = { readonly t: number } & (
  | PeerRecord
  | WorldRecord
  | NatRecord
  | TracePacketRecord
  | GapRecord
  | EndRecord
);

/** What the peer, or the program, of that name did or came to know. */
export type PeerRecord = { readonly who: string } & (
  | MachineRecord
  | ChartRecord
  | ActorRecord
  | EventRecord
  | PathRecord
  | PairsRecord
  | StatsRecord
  | CandidateRecord
  | BehaviorRecord
  | SignalRecord
  | LogRecord
  | StepRecord
  | VerdictRecord
);

/** How a machine is drawn; written before the first actor that runs it. */
export interface MachineRecord {
  readonly what: 'machine';
  /** By which actors name it: the id of the machine, with a number where another one of that id was there before. */
  readonly machine: string;
  readonly definition: ChartDefinition;
}

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
  /** Which of the charts that are exported; also the name of its machine. */
  readonly chart: ChartName;
  readonly input: unknown;
  /** Absent: nobody's child. */
  readonly parent?: string;
  /** Where contexts are told. */
  readonly context?: unknown;
}

/** Any other actor was started, or was first seen. Its name begins with that of its parent: `connection 6c2fdaee/punch`. */
export interface ActorRecord {
  readonly what: 'actor';
  readonly actor: string;
  readonly parent?: string;
  /** Absent: it runs no machine, but a promise, a callback, an observable or a transition function. */
  readonly machine?: string;
  readonly input?: unknown;
  readonly state?: StateText;
  readonly status?: TracedState['status'];
  /** Where contexts are told. */
  readonly context?: unknown;
}

export type ChartName = 'peer' | 'connection' | 'lease';

/** A chart or another actor took an event; the state is the one after it, absent of an actor without machine. */
export interface EventRecord extends Partial<TracedState> {
  readonly what: 'event';
  readonly actor: string;
  readonly event: TracedEvent;
  /** The edges that were taken, in their order: `connected.path.relayed#0` is the first edge of that state; absent: none. */
  readonly edges?: readonly string[];
  /** Where contexts are told: what it is from now on; absent: as before. */
  readonly context?: unknown;
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

/** Candidate pairs of a connection's checklist that are new or have changed. */
export interface PairsRecord {
  readonly what: 'pairs';
  readonly actor: string;
  readonly pairs: readonly TracedPair[];
}

/** `PairSnapshot` in short. */
export interface TracedPair {
  readonly id: string;
  /** `host udp 192.0.2.1:4000` */
  readonly local: string;
  readonly remote: string;
  /** RFC 8445 section 6.1.2.6. */
  readonly state: string;
  readonly nominated: boolean;
  /** ms */
  readonly rtt?: number;
  readonly failure?: string;
  readonly requestsSent: number;
  readonly responsesReceived: number;
  readonly requestsReceived: number;
}

/** How much the session of a connection has carried so far, once a second while it stands. */
export interface StatsRecord {
  readonly what: 'stats';
  readonly actor: string;
  readonly stats: SessionStats;
}

/** What is known of the NAT in front of the peer, and by which evidence. */
export interface BehaviorRecord {
  readonly what: 'behavior';
  readonly behavior: NatBehavior;
}

/** Something was said, or heard, over a signalling carrier. */
export interface SignalRecord {
  readonly what: 'signal';
  readonly way: 'sent' | 'received';
  /** `offer`, `envelope`, `registered`, .. */
  readonly message: string;
  /** The name of the carrier: the server's URL, or `memory`. */
  readonly carrier: string;
  /** Absent: about no connection. */
  readonly actor?: string;
  /** Bytes of the envelope. */
  readonly length?: number;
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
  | 'packet'
  | 'world'
  | 'nat'
  | 'machine'
  | 'reachability'
  | 'signal'
  | 'pairs'
  | 'stats'
  | 'log'
  | 'state'
  | 'path'
  | 'verdict'
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

/** What has changed in the table of a simulated NAT. */
export interface NatRecord {
  readonly what: 'nat';
  /** Name of the router. */
  readonly place: string;
  /** How it behaves; with the first record of the NAT. */
  readonly rules?: { readonly mapping: string; readonly filtering: string };
  /** New ones, and those whose flows have changed. */
  readonly set: readonly TracedMapping[];
  /** Those that are gone. */
  readonly gone: readonly Pick<TracedMapping, 'protocol' | 'internal' | 'external'>[];
}

/** All addresses are `ip:port`. */
export interface TracedMapping {
  readonly protocol: 'udp' | 'tcp';
  readonly internal: string;
  readonly external: string;
  /** Of flows that stand; of very many the first 20. */
  readonly remotes: readonly string[];
  /** Made by UPnP, NAT-PMP or PCP. */
  readonly explicit: boolean;
}

/**
 * What became of a packet of the simulated internet, or what a real peer sent or received by UDP: headers and sizes.
 * `place` of a real one is the name of the peer.
 */
export interface TracePacketRecord extends TracePacket {
  readonly what: 'packet';
  /** Of a real one: how many more like this came since the last record of their kind that was written. */
  readonly more?: number;
}

/** Whoever watched could not keep up: so many records are not there. */
export interface GapRecord {
  readonly what: 'gap';
  readonly records: number;
}

/** The trace is whole: so many records stand between its header and this one. */
export interface EndRecord {
  readonly what: 'end';
  readonly records: number;
}
