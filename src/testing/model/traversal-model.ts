import { getInitialSnapshot, getNextSnapshot } from 'xstate';
import { TraversalError } from '../../core/errors.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Driver } from './driver.ts';
import type { ModelInput } from './model-context.ts';
import { describeEvent, EVENTS, type ModelEvent, type ModelStep } from './model-event.ts';
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

export interface TraversalModelOptions {
  /** Which events may happen; default: those of every day that the driver can make happen. */
  readonly events?: readonly ModelEvent[];
  /** Whether the flow may get a relayed path; default: by its policy, and whether it has a fallback. */
  readonly relay?: boolean;
}

export interface PathOptions {
  /**
   * `transitions` (default): every event in every state, to each state that it leads to; about a hundred paths. `situations`: every
   * state under all circumstances that lead there; some thousand.
   */
  readonly cover?: 'transitions' | 'situations';
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
  /** The path of these events. Errors: `ERR_USAGE` for an event that cannot happen where it stands. */
  getPathFromEvents(events: readonly ModelEvent[]): ModelPath;
  /** Where the pair is before anything has happened. */
  initial(): ModelSnapshot;
  /** Where it is after one more event. */
  next(snapshot: ModelSnapshot, event: ModelEvent): ModelSnapshot;
  /** What may be seen of both sides there, when time has passed. */
  sees(snapshot: ModelSnapshot): ModelMeta;
}

/**
 * The model of a pair that runs `flow` where `driver` puts it: what can come of it there, and what can happen to it. Errors: `ERR_USAGE`
 * for an event that the driver cannot make happen.
 */
export function createTraversalModel(
  flow: Flow,
  driver: Pick<Driver, 'name' | 'prospects' | 'cannot'>,
  options: TraversalModelOptions = {},
): TraversalModel {
  const { relay = flow.policy !== 'direct-only' && flow.fallback !== undefined } = options;
  const input = { policy: flow.policy, relay, ...driver.prospects };
  return new PlainTraversalModel(flow, input, possibleEvents(driver, options.events));
}

class PlainTraversalModel implements TraversalModel {
  readonly flow: Flow;
  readonly machine: ModelMachine;
  readonly input: ModelInput;
  readonly events: readonly ModelEvent[];
  readonly testModel: ModelTestModel;

  constructor(flow: Flow, input: ModelInput, events: readonly ModelEvent[]) {
    this.flow = flow;
    this.input = input;
    this.machine = traversalMachine(input);
    this.events = events;
    this.testModel = testModelOf(this.machine, events);
  }

  getShortestPaths({ cover = 'transitions', pause }: PathOptions = {}): readonly ModelPath[] {
    const generator = cover === 'transitions' ? throughEveryTransition : toEverySituation;
    return this.testModel.getPaths(generator).map((path) => this.#pathOf(eventsOf(path), pause));
  }

  getSimplePaths({ pause }: Pick<PathOptions, 'pause'> = {}): readonly ModelPath[] {
    return this.testModel.getPaths(alongSimplePaths).map((path) => this.#pathOf(eventsOf(path), pause));
  }

  getPathFromEvents(events: readonly ModelEvent[]): ModelPath {
    let snapshot = this.initial();
    for (const [i, event] of events.entries()) {
      if (!snapshot.can(event)) {
        const state = describeState(snapshot);
        throw new TraversalError('ERR_USAGE', `events[${i}]: ${describeEvent(event)} cannot happen while ${state}`);
      }
      snapshot = this.next(snapshot, event);
    }
    return this.#pathOf(events);
  }

  initial(): ModelSnapshot {
    return getInitialSnapshot(this.machine);
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

function possibleEvents(
  { name, cannot }: Pick<Driver, 'name' | 'cannot'>,
  wanted: readonly ModelEvent[] | undefined,
): readonly ModelEvent[] {
  for (const event of wanted ?? []) {
    const reason = cannot[event.type];
    if (reason === undefined) continue;
    throw new TraversalError('ERR_USAGE', `events: the ${name} cannot do ${describeEvent(event)}: ${reason}`);
  }
  return wanted ?? EVENTS.filter(({ type }) => cannot[type] === undefined);
}

/** ms. */
const DEFAULT_PAUSE = 100;
