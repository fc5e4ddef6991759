import { getInitialSnapshot, getNextSnapshot } from 'xstate';
import { type Flow, flowOf } from '../../flows/index.ts';
import { Fields, type Range, usage } from '../../sim/fields.ts';
import { checkEvent } from './check-event.ts';
import type { Driver } from './driver.ts';
import type { ModelInput } from './model-context.ts';
import { describeEvent, EVENTS, type ModelEvent, type ModelStep } from './model-event.ts';
import { literal } from './model-failure.ts';
import { type ModelMeta, traversalMachine } from './model-machine.ts';
import {
  alongSimplePaths,
  type ModelMachine,
  type ModelSnapshot,
  type ModelTestModel,
  testModelOf,
  throughEveryTransition,
  toEverySituation,
} from './model-paths.ts';
import { CHANCES, type Prospects } from './prospects.ts';

export interface TraversalModelOptions {
  /** Which events may happen; default: those of every day that the driver can make happen. */
  readonly events?: readonly ModelEvent[];
  /** Whether the flow may get a relayed path; default: by its policy, and whether it has a fallback. */
  readonly relay?: boolean;
  /** What can come of the pair; default: what the driver says of the flow. For strategies that can do less than it may think. */
  readonly prospects?: Prospects;
}

export interface PathOptions {
  /**
   * `transitions` (default): every event in every state, to each state that it leads to; about a hundred paths. `situations`: every
   * state under all circumstances that lead there; some thousand.
   */
  readonly cover?: (typeof COVERS)[number];
  /** ms that the world is left alone after each event. Default 100. */
  readonly pause?: number;
}

/** A sequence of events, and the state of the model that it ends in. */
export interface ModelPath {
  /** `dialed, time.passed, roamed (dialer): recovering`. */
  readonly description: string;
  readonly steps: readonly ModelStep[];
}

/** The abstract lifecycle of a pair that runs a flow in some world. */
export interface TraversalModel {
  readonly flow: Flow;
  /** What runs the pair: the model says what may be seen in its world. */
  readonly driver: Driver;
  /** How the model is made, as code, but for its events. For what a failure prints. */
  readonly code: string;
  /** A plain XState machine, without actors and timers. */
  readonly machine: ModelMachine;
  /** What the machine was made by: the flow's policy, and what the place allows. */
  readonly input: ModelInput;
  /** Those that may happen. */
  readonly events: readonly ModelEvent[];
  /** The same as a model of `xstate/graph`, the home of what was `@xstate/test`; for path generators of one's own. */
  readonly testModel: ModelTestModel;
  /** The shortest paths, none of them the beginning of another. */
  getShortestPaths(options?: PathOptions): readonly ModelPath[];
  /** All ways through the states on which none comes twice. */
  getSimplePaths(options?: Pick<PathOptions, 'pause'>): readonly ModelPath[];
  /** The path of these events. Errors: `ERR_USAGE` for what is no event, and for one that cannot happen where it stands. */
  getPathFromEvents(events: readonly ModelEvent[]): ModelPath;
  /** Where the pair is before anything has happened. */
  initial(): ModelSnapshot;
  /** Whether that can happen there. Until all is over, time can always pass. */
  can(snapshot: ModelSnapshot, event: ModelEvent): boolean;
  /** Where it is after one more event. */
  next(snapshot: ModelSnapshot, event: ModelEvent): ModelSnapshot;
  /** What may be seen of both sides there, when time has passed. */
  sees(snapshot: ModelSnapshot): ModelMeta;
}

/**
 * The model of a pair that runs `flow` where `driver` puts it: what can come of it there, and what can happen to it. Errors: `ERR_USAGE`
 * for what is no flow, driver or event, and for an event that the driver cannot make happen.
 */
export function createTraversalModel(flow: Flow, driver: Driver, options: TraversalModelOptions = {}): TraversalModel {
  flowOf('flow', flow);
  if (typeof driver?.start !== 'function') throw usage('driver', 'is no driver; simulatorDriver makes one');
  const fields = new Fields(options, 'options', ['events', 'relay', 'prospects']);
  const relay = fields.boolean('relay') ?? (flow.policy !== 'direct-only' && flow.fallback !== undefined);
  const prospects = fields.nested('prospects', readProspects) ?? driver.prospects(flow);
  const { events = EVENTS.filter(({ type }) => driver.cannot[type] === undefined) } = options;
  if (!Array.isArray(events) || events.length === 0) throw usage('events', 'must be a list of events, one at least');
  for (const [i, event] of events.entries()) checkEvent(event, `events[${i}]`, driver);
  return new PlainTraversalModel(flow, driver, { policy: flow.policy, relay, ...prospects }, events, options);
}

class PlainTraversalModel implements TraversalModel {
  readonly flow: Flow;
  readonly driver: Driver;
  readonly code: string;
  readonly machine: ModelMachine;
  readonly input: ModelInput;
  readonly events: readonly ModelEvent[];
  readonly testModel: ModelTestModel;

  constructor(
    flow: Flow,
    driver: Driver,
    input: ModelInput,
    events: readonly ModelEvent[],
    { relay, prospects }: TraversalModelOptions,
  ) {
    const otherwise = relay === undefined && prospects === undefined ? '' : `, ${literal({ relay, prospects })}`;
    this.flow = flow;
    this.driver = driver;
    this.code = `createTraversalModel(flow, ${driver.code}${otherwise})`;
    this.input = input;
    this.machine = traversalMachine(input);
    this.events = events;
    this.testModel = testModelOf(this.machine, events);
  }

  getShortestPaths(options: PathOptions = {}): readonly ModelPath[] {
    const fields = new Fields(options, 'options', ['cover', 'pause']);
    const generator = fields.oneOf('cover', COVERS) === 'situations' ? toEverySituation : throughEveryTransition;
    const pause = fields.number('pause', PAUSE);
    return this.testModel.getPaths(generator).map((path) => this.#pathOf(eventsOf(path), pause));
  }

  getSimplePaths(options: Pick<PathOptions, 'pause'> = {}): readonly ModelPath[] {
    const pause = new Fields(options, 'options', ['pause']).number('pause', PAUSE);
    return this.testModel.getPaths(alongSimplePaths).map((path) => this.#pathOf(eventsOf(path), pause));
  }

  getPathFromEvents(events: readonly ModelEvent[]): ModelPath {
    if (!Array.isArray(events)) throw usage('events', 'must be a list of events');
    checkSequence(this, events, 'events');
    return this.#pathOf(events);
  }

  initial(): ModelSnapshot {
    return getInitialSnapshot(this.machine);
  }

  can(snapshot: ModelSnapshot, event: ModelEvent): boolean {
    return snapshot.status === 'active' && (event.type === 'time.passed' || snapshot.can(event));
  }

  next(snapshot: ModelSnapshot, event: ModelEvent): ModelSnapshot {
    return getNextSnapshot(this.machine, snapshot, event);
  }

  sees(snapshot: ModelSnapshot): ModelMeta {
    const [meta] = Object.values(snapshot.getMeta());
    return meta!;
  }

  #pathOf(events: readonly ModelEvent[], pause = DEFAULT_PAUSE): ModelPath {
    const end = events.reduce((snapshot, event) => this.next(snapshot, event), this.initial());
    const happenings = events.map(describeEvent).join(', ') || 'nothing';
    return {
      description: `${happenings}: ${describeState(end)}`,
      steps: events.map((event) => ({ event, pause })),
    };
  }
}

/** The first event of a path of `xstate/graph` is XState's own. */
function eventsOf({ steps }: { readonly steps: readonly { readonly event: ModelEvent }[] }): readonly ModelEvent[] {
  return steps.slice(1).map(({ event }) => event);
}

/** `connected.direct`. */
export function describeState({ value }: Pick<ModelSnapshot, 'value'>): string {
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.');
}

/** Errors: `ERR_USAGE` for the first of these events that is none, or cannot happen where it stands; `place`: of the list. */
export function checkSequence(model: TraversalModel, events: readonly ModelEvent[], place: string): void {
  let snapshot = model.initial();
  for (const [i, event] of events.entries()) {
    checkEvent(event, `${place}[${i}]`, model.driver);
    if (!model.can(snapshot, event))
      throw usage(`${place}[${i}]`, `${describeEvent(event)} cannot happen while ${describeState(snapshot)}`);
    snapshot = model.next(snapshot, event);
  }
}

function readProspects(value: unknown, path: string): Prospects {
  const fields = new Fields(value, path, ['direct', 'withoutUdp']);
  const chance = (name: string) => fields.required(name, fields.oneOf(name, CHANCES));
  return { direct: chance('direct'), withoutUdp: chance('withoutUdp') };
}

const COVERS = ['transitions', 'situations'] as const;
/** ms of a pause. */
export const PAUSE: Range = { min: 0, max: 2 ** 31 - 1 };
/** ms. */
const DEFAULT_PAUSE = 100;
