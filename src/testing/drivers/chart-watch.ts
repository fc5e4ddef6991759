import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, InspectionEvent, SnapshotFrom } from 'xstate';
import type { PathInfo } from '../../core/path.ts';
import type { Flow } from '../../flows/index.ts';
import { type ConnectionState, connectionMachine } from '../../index.ts';
import { currentPath } from '../../machines/index.ts';

/** What the charts of one program do, as far as its user cannot see it. */
export class ChartWatch {
  /** Slots in whose runs one strategy wins; in `discover` all do. */
  readonly #races: ReadonlySet<string>;
  /** Those that are still active. */
  readonly #charts = new Set<AnyActorRef>();
  #connection: { readonly state: ConnectionState; readonly path: PathInfo | undefined } | undefined;
  #winners = 0;
  /** The last event of each actor, and how many steps it has led to. */
  readonly #steps = new WeakMap<object, { readonly event: AnyEventObject; readonly count: number }>();

  constructor({ map, punch, fallback }: Flow) {
    this.#races = new Set([map, punch, fallback].flatMap((machine) => machine?.id ?? []));
  }

  /** The most strategies that succeeded in one run of a composed machine. */
  get winners(): number {
    return this.#winners;
  }

  /** The last connection whose chart has started, be it established or not. */
  get connection(): { readonly state: ConnectionState; readonly path: PathInfo | undefined } | undefined {
    return this.#connection;
  }

  readonly inspect = (inspection: InspectionEvent): void => {
    if (inspection.type === '@xstate.microstep') this.#count(inspection);
    if (inspection.type !== '@xstate.snapshot' || !('machine' in inspection.snapshot)) return;
    const snapshot = inspection.snapshot as AnyMachineSnapshot;
    const chart = inspection.actorRef as AnyActorRef;
    if (snapshot.status === 'active') this.#charts.add(chart);
    else this.#charts.delete(chart);
    if (snapshot.machine.id === connectionMachine.id) {
      const { value, context } = snapshot as SnapshotFrom<typeof connectionMachine>;
      this.#connection = { state: value, path: currentPath(context)?.info };
    } else if (this.#races.has(snapshot.machine.id)) {
      const { attempts } = snapshot.context as { readonly attempts: readonly { readonly ok: boolean }[] };
      this.#winners = Math.max(this.#winners, attempts.filter(({ ok }) => ok).length);
    }
  };

  /** A chart whose transitions go round in circles would never give control back: it breaks instead. */
  #count({ actorRef, event }: Pick<InspectionEvent & { readonly event: AnyEventObject }, 'actorRef' | 'event'>): void {
    const last = this.#steps.get(actorRef);
    const count = last?.event === event ? last.count + 1 : 1;
    this.#steps.set(actorRef, { event, count });
    if (count > MOST_STEPS) throw new Error(`a chart does not come to rest after ${event.type}`);
  }

  /** Tells every chart that runs an actor of that name that it has failed. */
  break(actor: string): void {
    for (const chart of [...this.#charts]) {
      const children: readonly AnyActorRef[] = Object.values((chart.getSnapshot() as AnyMachineSnapshot).children);
      const actorId = children.find(({ src }) => src === actor)?.id;
      if (actorId === undefined) continue;
      chart.send({ type: `xstate.error.actor.${actorId}`, actorId, error: new Error(`${actor} was broken by a test`) });
    }
  }
}

/** For one event. */
const MOST_STEPS = 1_000;
