import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  InspectionEvent,
} from 'xstate';
import { type Flow, flowOf } from '../../flows/index.ts';
import { isMachine } from '../../flows/logic-shape.ts';
import { leaseMachine, peerMachine } from '../../index.ts';
import { usage } from '../../sim/fields.ts';
import { ChartHits } from './chart-hits.ts';
import { type ChartOutline, outlineOf, transitionKey } from './chart-outline.ts';
import { type CoverageJson, readCoverage } from './coverage-json.ts';
import { type CoverageReport, coverageReport } from './coverage-report.ts';
import { activeNodes, noteAlwaysOutcomes, noteEventOutcomes } from './guard-outcomes.ts';

/** Collects what charts do: give its `inspect` to peers, environments and actors. */
export interface Coverage {
  /** For `PeerOptions.inspect`, `TestPathOptions.inspect`, `createActor`. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Adds what another collector saw of the same charts, be it in another process. Errors: `ERR_USAGE` for other charts than these. */
  merge(other: CoverageJson): void;
  report(): CoverageReport;
}

/** The charts that a flow runs in: those of connection, peer and lease, the composed ones, and its strategies that are machines. */
export function chartsOf(flow: Flow): readonly AnyStateMachine[] {
  const { machine, discover, map, punch, fallback, strategies } = flowOf('flow', flow);
  const all = [machine, peerMachine, discover, punch, fallback, ...(map === undefined ? [] : [leaseMachine, map])];
  const own = strategies.map(({ logic }) => ('machine' in logic ? logic.machine : undefined));
  return [...new Set([...all, ...own])].filter(isMachine);
}

/**
 * Which states, transitions and guards of these charts are hit. Charts are known by their id and all their states and transitions, so that
 * machines with other implementations, made by `.provide()`, count as the same chart; others than these are left out. Errors: `ERR_USAGE`
 * for what is no machine, and for two charts of one id, of which a report could not say which is which.
 */
export function coverage(charts: readonly AnyStateMachine[]): Coverage {
  return new ChartCoverage(charts);
}

class ChartCoverage implements Coverage {
  readonly #outlines: ReadonlyMap<string, ChartOutline>;
  readonly #hits: ReadonlyMap<string, ChartHits>;
  /** By the config of machines that were seen. */
  readonly #known = new WeakMap<object, { readonly hits: ChartHits | undefined }>();
  /** The last snapshot of each actor. */
  readonly #before = new WeakMap<object, AnyMachineSnapshot>();

  constructor(charts: readonly AnyStateMachine[]) {
    if (!Array.isArray(charts) || charts.length === 0)
      throw usage('charts', 'must be a list of machines; chartsOf gives it');
    const outlines = new Map<string, ChartOutline>();
    for (const [i, chart] of charts.entries()) {
      if (!isMachine(chart)) throw usage(`charts[${i}]`, 'is no machine');
      const outline = outlineOf(chart);
      if (!isSame(outlines.get(chart.id) ?? outline, outline))
        throw usage(`charts[${i}]`, `another one has the id ${chart.id}, too; each machine needs an id of its own`);
      outlines.set(chart.id, outline);
    }
    this.#outlines = outlines;
    this.#hits = new Map([...outlines.keys()].map((id) => [id, new ChartHits()]));
  }

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return;
    if (!isOfMachine(event.snapshot)) return;
    const hits = this.#hitsOf(event.snapshot.machine);
    if (hits === undefined) return;
    if (event.type === '@xstate.microstep') this.#step(hits, event, event.snapshot);
    else this.#rest(hits, event.actorRef, event.snapshot);
  };

  merge(other: CoverageJson): void {
    for (const chart of readCoverage(other, this.#outlines)) this.#hits.get(chart.id)!.add(chart);
  }

  report(): CoverageReport {
    return coverageReport(
      [...this.#outlines.values()].map((outline) => ({ outline, hits: this.#hits.get(outline.id)! })),
    );
  }

  #hitsOf(machine: AnyStateMachine): ChartHits | undefined {
    const known = this.#known.get(machine.config);
    if (known !== undefined) return known.hits;
    const wanted = this.#outlines.get(machine.id);
    const isWanted = wanted !== undefined && isSame(outlineOf(machine), wanted);
    const hits = isWanted ? this.#hits.get(machine.id) : undefined;
    this.#known.set(machine.config, { hits });
    return hits;
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

function isSame(a: ChartOutline, b: ChartOutline): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isOfMachine(snapshot: object): snapshot is AnyMachineSnapshot {
  return 'machine' in snapshot;
}

const NONE: ReadonlySet<AnyTransitionDefinition> = new Set();
const NOWHERE: ReadonlySet<AnyStateNode> = new Set();
