import type { SnapshotFrom } from 'xstate';
import type { PathInfo } from '../core/path.ts';
import type { Verdict } from '../core/verdict.ts';
import { type ConnectionState, connectionMachine } from '../index.ts';
import type { PathChange, Stage } from './outcome.ts';
import type { ConnectionNews, Without } from './run-event.ts';

export type ConnectionSnapshot = SnapshotFrom<typeof connectionMachine>;

/** What a record tells: news without the peer's and the connection's name, which it does not know. */
type SideNews = Without<Extract<ConnectionNews, { readonly role: string }>, 'who' | 'connection'>;

/** How one side's chart of a connection went on. Times are in ms since the beginning of the run. */
export class SideRecord {
  readonly stages: Stage[] = [];
  readonly paths: PathChange[] = [];
  /** When the session was established. */
  readyAt: number | undefined;
  verdict: Verdict | undefined;
  readonly #role: 'dialer' | 'listener';
  readonly #tell: (news: SideNews) => void;
  /** A round of punching has ended without a direct path, or there will be none. */
  #hasTried = false;
  #isFresh = false;

  /** `tell` is called after each change. */
  constructor(role: 'dialer' | 'listener', tell: (news: SideNews) => void) {
    this.#role = role;
    this.#tell = tell;
  }

  get path(): PathInfo | undefined {
    return this.paths.at(-1)?.path;
  }

  /** Connected without doubt, on a direct path or after it has tried for one. */
  get isAtRest(): boolean {
    return this.#isFresh && (this.path?.kind === 'direct' || this.#hasTried);
  }

  /** The chart is in another state now, or has another path. */
  follow(snapshot: ConnectionSnapshot, at: number): void {
    const { value, context } = snapshot;
    const role = this.#role;
    this.#isFresh = snapshot.matches({ connected: { liveness: 'fresh' } });
    if (!isSame(value, this.stages.at(-1)?.state)) {
      this.stages.push({ at, state: value });
      if (snapshot.matches({ traversing: { punch: 'exhausted' } })) this.#hasTried = true;
      this.#tell({ type: 'state', role, state: value });
    }
    const path = context.paths.find(({ info }) => info.id === context.current)?.info;
    if (path?.id !== this.path?.id) {
      this.paths.push({ at, path });
      this.#tell({ type: 'path', role, path });
    }
    if (context.established && this.readyAt === undefined) {
      this.readyAt = at;
      this.#tell({ type: 'ready', role });
    }
  }

  /** Every strategy of a round has failed; the chart takes no notice of it where a relay carries the session. */
  exhaust(): void {
    this.#hasTried = true;
    this.#tell({ type: 'exhausted', role: this.#role });
  }

  end(verdict: Verdict): void {
    this.verdict = verdict;
    this.#tell({ type: 'verdict', role: this.#role, verdict });
  }
}

/** The snapshot of a connection's chart; `undefined` for those of other actors. */
export function asConnection(snapshot: unknown): ConnectionSnapshot | undefined {
  const { machine } = snapshot as Partial<ConnectionSnapshot>;
  return machine?.id === connectionMachine.id ? (snapshot as ConnectionSnapshot) : undefined;
}

/** State values are plain nested objects whose keys keep the chart's order. */
function isSame(a: ConnectionState, b: ConnectionState | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
