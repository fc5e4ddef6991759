import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  InspectionEvent,
} from 'xstate';
import type { Flow } from '../../flows/flow.ts';
import { leaseMachine, peerMachine } from '../../index.ts';
import { ChartHits } from './chart-hits.ts';
import { type ChartOutline, outlineOf, transitionKey } from './chart-outline.ts';
import type { CoverageJson } from './coverage-json.ts';
import { type CoverageReport, coverageReport } from './coverage-report.ts';
import { activeNodes, noteAlwaysOutcomes, noteEventOutcomes } from './guard-outcomes.ts';

/** Collects what charts do: give its `inspect` to peers, environments and actors. */
export interface Coverage {
  /** For `PeerOptions.inspect`, `TestPathOptions.inspect`, `createActor`. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Adds what another collector saw of the same charts, be it in another process. */
  merge(other: CoverageJson): void;
  report(): CoverageReport;
}

/** The charts that a flow runs in: those of connection, peer and lease, and the composed ones. */
export function chartsOf(flow: Flow): readonly AnyStateMachine[] {
  const { machine, discover, map, punch, fallback } = flow;
  const all = [machine, peerMachine, discover, punch, fallback, ...(map === undefined ? [] : [leaseMachine, map])];
  return all.filter((chart) => chart !== undefined);
}

/**
 * Which states, transitions and guards of these charts are hit. Charts are known by their id; those that are not among them are left out.
 * Machines with other implementations, made by `.provide()`, count as the same chart.
 */
export function coverage(charts: readonly AnyStateMachine[]): Coverage {
  return new ChartCoverage(charts);
}

class ChartCoverage implements Coverage {
  readonly #outlines: ReadonlyMap<string, ChartOutline>;
  readonly #hits: ReadonlyMap<string, ChartHits>;
  /** The last snapshot of each actor. */
  readonly #before = new WeakMap<object, AnyMachineSnapshot>();

  constructor(charts: readonly AnyStateMachine[]) {
    this.#outlines = new Map(charts.map((chart) => [chart.id, outlineOf(chart)]));
    this.#hits = new Map(charts.map(({ id }) => [id, new ChartHits()]));
  }

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return;
    if (!isOfMachine(event.snapshot)) return;
    const hits = this.#hits.get(event.snapshot.machine.id);
    if (hits === undefined) return;
    if (event.type === '@xstate.microstep') this.#step(hits, event, event.snapshot);
    else this.#rest(hits, event.actorRef, event.snapshot);
  };

  merge({ charts }: CoverageJson): void {
    for (const chart of charts) this.#hits.get(chart.id)?.add(chart);
  }

  report(): CoverageReport {
    return coverageReport(
      [...this.#outlines.values()].map((outline) => ({ outline, hits: this.#hits.get(outline.id)! })),
    );
  }

  /** Some transitions were taken at once; none, where an event was of no interest. */
  #step(hits: ChartHits, { actorRef, event, _transitions }: Microstep, snapshot: AnyMachineSnapshot): void {
    const before = this.#before.get(actorRef);
    const taken = new Set(_transitions);
    for (const transition of taken) hits.take(transitionKey(transition));
    const note = (transition: AnyTransitionDefinition, outcome: boolean): void =>
      hits.answer(transitionKey(transition), outcome);
    if (before === undefined) {
      // The machine is starting: what it left at once was never at rest.
      for (const { source } of taken) hits.enter(source.id);
      for (const transition of taken) if (transition.guard !== undefined) note(transition, true);
    } else if (_transitions[0]?.eventType === '') {
      noteAlwaysOutcomes(before, taken, note);
    } else {
      noteEventOutcomes(before, event, taken, note);
    }
    this.#follow(hits, actorRef, snapshot);
  }

  /** The machine waits for the next event: no transition without an event can be taken. */
  #rest(hits: ChartHits, actorRef: object, snapshot: AnyMachineSnapshot): void {
    if (!this.#before.has(actorRef)) this.#follow(hits, actorRef, snapshot);
    if (snapshot.status !== 'active') return;
    noteAlwaysOutcomes(snapshot, NONE, (transition, outcome) => hits.answer(transitionKey(transition), outcome));
  }

  #follow(hits: ChartHits, actorRef: object, snapshot: AnyMachineSnapshot): void {
    const before = this.#before.get(actorRef);
    const left = before === undefined ? NOWHERE : activeNodes(before);
    for (const node of activeNodes(snapshot)) if (!left.has(node)) hits.enter(node.id);
    this.#before.set(actorRef, snapshot);
  }
}

type Microstep = Extract<InspectionEvent, { readonly type: '@xstate.microstep' }>;

function isOfMachine(snapshot: object): snapshot is AnyMachineSnapshot {
  return 'machine' in snapshot;
}

const NONE: ReadonlySet<AnyTransitionDefinition> = new Set();
const NOWHERE: ReadonlySet<AnyStateNode> = new Set();
