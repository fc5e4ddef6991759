import type { ChartDefinition } from '../../../src/trace/chart-definition.ts';
import type {
  ActorRecord,
  BehaviorRecord,
  CandidateRecord,
  NatRecord,
  StateText,
  StatsRecord,
  TracedMapping,
  TracedPair,
  TraceHeader,
  TraceRecord,
} from '../../../src/trace/trace-format.ts';

/** Where records come from: a program that is connected, or was; or a trace file. */
export interface Source {
  readonly id: string;
  /** Name of the program or the file. */
  readonly title: string;
  readonly header: TraceHeader;
  readonly live: boolean;
}

/** A record at its place on the one time axis of all sources. */
export interface Entry {
  /** Position in the order of the axis. */
  readonly index: number;
  /** ms since the axis begins. */
  readonly at: number;
  readonly source: Source;
  readonly record: TraceRecord;
}

/** Everything that is known at one moment: what the records up to it make. Never changed once it was given out. */
export interface Moment {
  /** Index of the last entry that is in it; -1: none. */
  readonly index: number;
  readonly at: number;
  readonly peers: ReadonlyMap<string, PeerState>;
  /** Of simulated NATs, by router. */
  readonly nats: ReadonlyMap<string, NatState>;
}

/** A peer, or another program whose actors are seen. Key: `source.id/who`. */
export interface PeerState {
  readonly key: string;
  readonly who: string;
  readonly source: Source;
  readonly machines: ReadonlyMap<string, ChartDefinition>;
  /** By name, in the order in which they began. */
  readonly actors: ReadonlyMap<string, ActorState>;
  readonly candidates: readonly CandidateRecord[];
  readonly behavior?: BehaviorRecord['behavior'];
  /** By the name of the connection's actor. */
  readonly connections: ReadonlyMap<string, ConnectionState>;
}

export interface ActorState {
  readonly name: string;
  readonly parent?: string;
  /** Key into `machines`; absent: it runs none. */
  readonly machine?: string;
  readonly input?: ActorRecord['input'];
  readonly state?: StateText;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly context?: unknown;
  readonly startedAt: number;
  /** The last event that it took. */
  readonly last?: { readonly type: string; readonly at: number; readonly index: number };
  /** Edges (`state#index`) that were taken lately, the latest last, and when. At most 8. */
  readonly edges: readonly { readonly edge: string; readonly at: number }[];
  /** Events taken so far. */
  readonly events: number;
}

export interface ConnectionState {
  readonly actor: string;
  /** The latest of each id. */
  readonly pairs: readonly TracedPair[];
  /** Each path that was sent on, and when that began; the last one is in use, `null`: none. */
  readonly paths: readonly {
    readonly at: number;
    readonly path: import('../../../src/core/path.ts').PathInfo | null;
  }[];
  readonly stats: readonly { readonly at: number; readonly stats: StatsRecord['stats'] }[];
  /** `Verdict` as docs/traces.md has it. */
  readonly verdict?: unknown;
}

export interface NatState {
  readonly place: string;
  readonly rules?: NatRecord['rules'];
  readonly mappings: readonly TracedMapping[];
}
