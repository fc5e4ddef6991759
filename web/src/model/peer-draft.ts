import type { ActorRecord, ChartRecord, EventRecord, PeerRecord } from '../../../src/trace/trace-format.ts';
import type { ActorState, ConnectionState, PeerState, Source } from './moment.ts';

/** A peer while records are folded into it; what it gives out does not change. */
export class PeerDraft {
  readonly #machines: Map<string, PeerState['machines'] extends ReadonlyMap<string, infer D> ? D : never>;
  readonly #actors: Map<string, ActorState>;
  readonly #connections: Map<string, ConnectionState>;
  #candidates: PeerState['candidates'];
  #behavior: PeerState['behavior'];
  /** As it was given out last; absent: it has changed since. */
  #state: PeerState | undefined;
  readonly #identity: Pick<PeerState, 'key' | 'who' | 'source'>;

  constructor({ key, who, source }: Pick<PeerState, 'key' | 'who' | 'source'>, from?: PeerState) {
    this.#identity = { key, who, source };
    this.#state = from;
    this.#machines = new Map(from?.machines);
    this.#actors = new Map(from?.actors);
    this.#connections = new Map(from?.connections);
    this.#candidates = from?.candidates ?? [];
    this.#behavior = from?.behavior;
  }

  apply(record: PeerRecord, at: number, index: number): void {
    this.#state = undefined;
    switch (record.what) {
      case 'machine':
        this.#machines.set(record.machine, record.definition);
        break;
      case 'chart':
        this.#begin(record, record.chart, at);
        break;
      case 'actor':
        this.#begin(record, record.machine, at);
        break;
      case 'event':
        this.#move(record, at, index);
        break;
      case 'candidate':
        this.#candidates = [...this.#candidates.filter(({ address }) => address !== record.address), record];
        break;
      case 'behavior':
        this.#behavior = record.behavior;
        break;
      case 'path':
        this.#change(record.actor, ({ paths }) => ({ paths: [...paths, { at, path: record.path }] }));
        break;
      case 'pairs':
        this.#change(record.actor, ({ pairs }) => {
          const changed = new Map(record.pairs.map((pair) => [pair.id, pair]));
          const known = pairs.map((pair) => changed.get(pair.id) ?? pair);
          const ids = new Set(pairs.map(({ id }) => id));
          return { pairs: [...known, ...record.pairs.filter(({ id }) => !ids.has(id))] };
        });
        break;
      case 'stats':
        this.#change(record.actor, ({ stats }) => ({
          stats: [...stats.slice(-MAX_STATS), { at, stats: record.stats }],
        }));
        break;
      case 'verdict':
        this.#change(record.actor, () => ({ verdict: record.verdict }));
        break;
      default:
      // What was said and logged is in the entries.
    }
  }

  get state(): PeerState {
    this.#state ??= {
      ...this.#identity,
      machines: new Map(this.#machines),
      actors: new Map(this.#actors),
      candidates: this.#candidates,
      ...(this.#behavior !== undefined && { behavior: this.#behavior }),
      connections: new Map(this.#connections),
    };
    return this.#state;
  }

  /** One of that name that has ended begins anew. */
  #begin(record: ChartRecord | ActorRecord, machine: string | undefined, at: number): void {
    const { actor: name, parent, input, state, status = 'active', context } = record;
    this.#actors.set(name, {
      name,
      ...(parent !== undefined && { parent }),
      ...(machine !== undefined && { machine }),
      ...(input !== undefined && { input }),
      ...(state !== undefined && { state }),
      ...(context !== undefined && { context }),
      status,
      startedAt: at,
      edges: [],
      events: 0,
    });
  }

  #move({ actor, event, state, status, edges = [], context }: EventRecord, at: number, index: number): void {
    const before = this.#actors.get(actor) ?? { name: actor, status: 'active', startedAt: at, edges: [], events: 0 };
    this.#actors.set(actor, {
      ...before,
      ...(state !== undefined && { state }),
      ...(context !== undefined && { context }),
      status: status ?? 'active',
      last: { type: event.type, at, index },
      edges:
        edges.length === 0 ? before.edges : [...before.edges, ...edges.map((edge) => ({ edge, at }))].slice(-MAX_EDGES),
      events: before.events + 1,
    });
  }

  #change(actor: string, change: (before: ConnectionState) => Partial<ConnectionState>): void {
    const before = this.#connections.get(actor) ?? { actor, pairs: [], paths: [], stats: [] };
    this.#connections.set(actor, { ...before, ...change(before) });
  }
}

/** A peer is named within its source. */
export function peerKey(source: Source, who: string): string {
  return `${source.id}/${who}`;
}

/** Edges that an actor is shown to have taken lately. */
const MAX_EDGES = 8;
/** Seconds of a connection's statistics. */
const MAX_STATS = 3_600;
