import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, InspectionEvent, SnapshotFrom } from 'xstate';
import type { PathInfo } from '../../core/path.ts';
import type { Flow } from '../../flows/index.ts';
import type { ConnectionState, connectionMachine } from '../../index.ts';
import { currentPath } from '../../machines/index.ts';

/** What the charts of one program do, as far as its user cannot see it. */
export class ChartWatch {
  /** Configs of machines in whose runs one strategy wins; in those of `discover` all do. Ids would not do: a user's machine may have any. */
  readonly #races: ReadonlySet<object>;
  readonly #lifecycle: object;
  /** Those that are still active. */
  readonly #charts = new Set<AnyActorRef>();
  /** Names of actors that fail as soon as there is one. */
  readonly #doomed = new Set<string>();
  #connection: { readonly state: ConnectionState; readonly path: PathInfo | undefined } | undefined;
  #winners = 0;
  /** The last event of each actor, and how many steps it has led to. */
  readonly #steps = new WeakMap<object, { readonly event: AnyEventObject; readonly count: number }>();

  constructor({ machine, map, punch, fallback }: Flow) {
    this.#races = new Set([map, punch, fallback].flatMap((composed) => composed?.config ?? []));
    this.#lifecycle = machine.config;
  }

  /** The most strategies that succeeded in one run of a composed machine. */
  get winners(): number {
    return this.#winners;
  }

  /** The last connection whose chart has started, be it established or not. */
  get connection(): { readonly state: ConnectionState; readonly path: PathInfo | undefined } | undefined {
    return this.#connection;
  }

  /** What was to break and has not been there yet. */
  get doomed(): readonly string[] {
    return [...this.#doomed];
  }

  readonly inspect = (inspection: InspectionEvent): void => {
    if (inspection.type === '@xstate.actor') this.#greet(inspection.actorRef as AnyActorRef);
    if (inspection.type === '@xstate.microstep') this.#count(inspection);
    if (inspection.type !== '@xstate.snapshot' || !('machine' in inspection.snapshot)) return;
    const snapshot = inspection.snapshot as AnyMachineSnapshot;
    const chart = inspection.actorRef as AnyActorRef;
    if (snapshot.status === 'active') this.#charts.add(chart);
    else this.#charts.delete(chart);
    const { config } = snapshot.machine;
    if (config === this.#lifecycle) {
      const { value, context } = snapshot as SnapshotFrom<typeof connectionMachine>;
      this.#connection = { state: value, path: currentPath(context)?.info };
    } else if (this.#races.has(config)) {
      const { attempts } = snapshot.context as { readonly attempts: readonly { readonly ok: boolean }[] };
      this.#winners = Math.max(this.#winners, attempts.filter(({ ok }) => ok).length);
    }
  };

  /** Tells every chart that runs an actor of that name that it has failed; where none does, the next one that begins to. */
  break(actor: string): void {
    const running = [...this.#charts].flatMap((chart) => {
      const children: readonly AnyActorRef[] = Object.values((chart.getSnapshot() as AnyMachineSnapshot).children);
      return children.filter(({ src }) => src === actor).map(({ id }) => ({ chart, id }));
    });
    if (running.length === 0) this.#doomed.add(actor);
    for (const { chart, id } of running) tellFailure(chart, actor, id);
  }

  /** A chart whose transitions go round in circles would never give control back: it breaks instead. */
  #count({ actorRef, event }: Pick<InspectionEvent & { readonly event: AnyEventObject }, 'actorRef' | 'event'>): void {
    const last = this.#steps.get(actorRef);
    const count = last?.event === event ? last.count + 1 : 1;
    this.#steps.set(actorRef, { event, count });
    if (count > MOST_STEPS) throw new Error(`a chart does not come to rest after ${event.type}`);
  }

  #greet({ src, id, _parent: parent }: AnyActorRef): void {
    if (typeof src === 'string' && parent !== undefined && this.#doomed.delete(src)) tellFailure(parent, src, id);
  }
}

/** As XState does when the actor of that id has thrown. */
function tellFailure(chart: AnyActorRef, actor: string, actorId: string): void {
  chart.send({ type: `xstate.error.actor.${actorId}`, actorId, error: new Error(`${actor} was broken by a test`) });
}

/** For one event. */
const MOST_STEPS = 1_000;
