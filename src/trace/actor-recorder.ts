import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine, InspectionEvent, Snapshot } from 'xstate';
import type { PathInfo } from '../core/path.ts';
import { ActorNames } from './actor-names.ts';
import { chartName, currentPathOf, stateOf } from './charts.ts';
import { MachineBook } from './machine-book.ts';
import { redact } from './redact.ts';
import type { EventRecord, PathRecord, PeerRecord, TracedEvent, TracedState } from './trace-format.ts';

/** Records without the name of the peer. */
export type ActorRecorderWrite = (record: OwnRecord) => void;
type OwnRecord = PeerRecord extends infer R ? (R extends unknown ? Omit<R, 'who'> : never) : never;

/** Records what XState shows of actors: charts, machines of others, promises and callbacks. */
export class ActorRecorder {
  readonly #write: ActorRecorderWrite;
  readonly #contexts: boolean;
  readonly #names = new ActorNames();
  readonly #machines = new MachineBook();
  /** Those that were told. */
  readonly #begun = new WeakSet<object>();
  /** Edges taken since the last snapshot. */
  readonly #edges = new WeakMap<object, string[]>();
  /** The id of the path that each connection sends on. */
  readonly #paths = new WeakMap<object, string>();
  /** The context that was told last. */
  readonly #told = new WeakMap<object, unknown>();

  /** `contexts`: whether the contexts of machines are told. */
  constructor(write: ActorRecorderWrite, contexts: boolean) {
    this.#write = write;
    this.#contexts = contexts;
  }

  readonly inspect = (inspection: InspectionEvent): void => {
    switch (inspection.type) {
      case '@xstate.microstep':
        this.#step(inspection.actorRef as AnyActorRef, inspection._transitions, inspection.snapshot);
        break;
      case '@xstate.snapshot':
        this.#follow(inspection.actorRef as AnyActorRef, inspection.event, inspection.snapshot);
        break;
      default:
      // Snapshots tell of actors and events, microsteps of what was done.
    }
  };

  /** Tells an actor that runs already, as it is now, if it was not told. */
  begin(actorRef: AnyActorRef): void {
    if (!this.#begun.has(actorRef)) this.#beginLate(actorRef, actorRef.getSnapshot());
  }

  #step(actorRef: AnyActorRef, transitions: readonly object[], snapshot: Snapshot<unknown>): void {
    if (!isOfMachine(snapshot)) return;
    const taken = transitions.flatMap((transition) => this.#machines.edge(snapshot.machine, transition) ?? []);
    if (taken.length === 0) return;
    const before = this.#edges.get(actorRef);
    if (before === undefined) this.#edges.set(actorRef, taken);
    else before.push(...taken);
  }

  #follow(actorRef: AnyActorRef, event: TracedEvent, snapshot: Snapshot<unknown>): void {
    const edges = this.#edges.get(actorRef);
    this.#edges.delete(actorRef);
    if (event.type === 'xstate.init') this.#beginNow(actorRef, event.input, snapshot);
    else {
      if (!this.#begun.has(actorRef)) this.#beginLate(actorRef, snapshot);
      this.#write({
        what: 'event',
        actor: this.#names.of(actorRef),
        event: redact(event) as TracedEvent,
        ...stateIn(snapshot),
        ...(edges !== undefined && { edges }),
        ...this.#contextOf(actorRef, snapshot),
      });
    }
    this.#followPath(actorRef, snapshot);
    if (snapshot.status !== 'active') this.#names.release(actorRef);
  }

  #beginNow(actorRef: AnyActorRef, input: unknown, snapshot: Snapshot<unknown>): void {
    const chart = isOfMachine(snapshot) ? chartName(snapshot.machine) : undefined;
    if (chart === undefined) this.#beginActor(actorRef, snapshot, input);
    else {
      this.#define(actorRef, snapshot);
      const actor = this.#names.of(actorRef);
      const { state, status } = stateIn(snapshot) as TracedState;
      this.#write({
        what: 'chart',
        actor,
        chart,
        input: redact(input),
        state,
        status,
        ...this.#more(actorRef, snapshot),
      });
    }
  }

  /** It cannot be replayed from its beginning, whatever it runs. */
  #beginLate(actorRef: AnyActorRef, snapshot: Snapshot<unknown>): void {
    this.#beginActor(actorRef, snapshot, undefined);
    this.#followPath(actorRef, snapshot);
  }

  #beginActor(actorRef: AnyActorRef, snapshot: Snapshot<unknown>, input: unknown): void {
    const machine = this.#define(actorRef, snapshot);
    const shown = redact(input);
    this.#write({
      what: 'actor',
      actor: this.#names.of(actorRef),
      ...(machine !== undefined && { machine }),
      ...(shown !== undefined && { input: shown }),
      ...stateIn(snapshot),
      ...this.#more(actorRef, snapshot),
    });
  }

  #define(actorRef: AnyActorRef, snapshot: Snapshot<unknown>): string | undefined {
    this.#begun.add(actorRef);
    if (!isOfMachine(snapshot)) return undefined;
    return this.#machines.enter(snapshot.machine, (machine, definition) =>
      this.#write({ what: 'machine', machine, definition }),
    );
  }

  #more(actorRef: AnyActorRef, snapshot: Snapshot<unknown>): { readonly parent?: string; readonly context?: unknown } {
    const parent = this.#names.parentOf(actorRef);
    return { ...(parent !== undefined && { parent }), ...this.#contextOf(actorRef, snapshot) };
  }

  #contextOf(actorRef: AnyActorRef, snapshot: Snapshot<unknown>): Pick<EventRecord, 'context'> {
    if (!this.#contexts || !isOfMachine(snapshot) || this.#told.get(actorRef) === snapshot.context) return {};
    this.#told.set(actorRef, snapshot.context);
    return { context: redact(snapshot.context) };
  }

  #followPath(actorRef: AnyActorRef, snapshot: Snapshot<unknown>): void {
    const chart = isOfMachine(snapshot) ? chartName(snapshot.machine) : undefined;
    if (chart === undefined) return;
    const path: PathInfo | undefined = currentPathOf(chart, snapshot as AnyMachineSnapshot);
    if (this.#paths.get(actorRef) === path?.id) return;
    if (path === undefined) this.#paths.delete(actorRef);
    else this.#paths.set(actorRef, path.id);
    const actor = this.#names.of(actorRef);
    this.#write({ what: 'path', actor, path: (redact(path) ?? null) as PathRecord['path'] });
  }
}

function isOfMachine(
  snapshot: Snapshot<unknown>,
): snapshot is Snapshot<unknown> & AnyMachineSnapshot & { readonly machine: AnyStateMachine } {
  return 'machine' in snapshot;
}

function stateIn(snapshot: Snapshot<unknown>): Partial<TracedState> {
  if (isOfMachine(snapshot)) return stateOf(snapshot);
  return snapshot.status === 'active' ? {} : { status: snapshot.status };
}
