import { defaultFlow, defineFlow, type Flow } from '../../src/index.ts';
import {
  createTraversalModel,
  EVENTS,
  type ModelEvent,
  type ModelEventType,
  type ModelPath,
  type ModelSnapshot,
  RARE_EVENTS,
  type SimulatorDriverOptions,
  simulatorDriver,
  type TraversalModel,
} from '../../src/testing/index.ts';

/** A model of a pair in its place, and the paths that are made to happen there. */
export interface Expedition {
  readonly title: string;
  readonly model: TraversalModel;
  readonly paths: readonly ModelPath[];
}

export const flows = {
  default: defaultFlow,
  'direct-only': defineFlow({ ...defaultFlow.spec, policy: 'direct-only' }),
  'relay-only': defineFlow({ ...defaultFlow.spec, policy: 'relay-only' }),
} as const satisfies Readonly<Record<string, Flow>>;

export interface ExpeditionOptions {
  readonly events?: readonly ModelEvent[];
  /** Absent: the shortest paths through every transition of the model. A number: every sequence of so many events at most. */
  readonly longest?: number;
  /** With `longest`: what may come before; default: nothing. */
  readonly beginnings?: readonly (readonly ModelEvent[])[];
  /** ms after each event; of several, all paths with each. */
  readonly pause?: number | readonly number[];
  /** ms for which a pair at rest is left alone; default: as after all events. */
  readonly rest?: number;
  /** ms after the last event; default: as after the others. */
  readonly last?: number;
  /** Whether a relayed path can be had; default: by the flow. */
  readonly relay?: boolean;
  /** Whether direct paths are had as the oracle says, and not by luck. Default true. */
  readonly direct?: boolean;
}

export function expedition(
  title: string,
  flow: Flow,
  sites: SimulatorDriverOptions,
  options: ExpeditionOptions = {},
): Expedition {
  const { events, longest, beginnings = [[]], pause, relay, direct = true } = options;
  const driver = simulatorDriver(sites);
  const prospects = direct ? undefined : ({ direct: 'possible', withoutUdp: 'possible' } as const);
  const model = createTraversalModel(flow, driver, { events, relay, prospects });
  const paths =
    longest === undefined
      ? model.getShortestPaths()
      : beginnings.flatMap((beginning) => everySequence(model, beginning, longest));
  const pauses = typeof pause === 'object' ? pause : [pause];
  return { title, model, paths: pauses.flatMap((ms) => paths.map((path) => unhurried(path, options, ms))) };
}

/** Events of these types. */
export function ofTypes(types: readonly ModelEventType[]): readonly ModelEvent[] {
  return [...EVENTS, ...RARE_EVENTS].filter(({ type }) => types.includes(type));
}

/** All that can happen in so many events after the beginning; none of them is the beginning of another. */
function everySequence(model: TraversalModel, beginning: readonly ModelEvent[], longest: number): readonly ModelPath[] {
  const walk = (snapshot: ModelSnapshot, events: readonly ModelEvent[]): (readonly ModelEvent[])[] => {
    const isOver = snapshot.status !== 'active' || events.length === beginning.length + longest;
    const possible = isOver ? [] : model.events.filter((event) => snapshot.can(event));
    return possible.length === 0
      ? [events]
      : possible.flatMap((event) => walk(model.next(snapshot, event), [...events, event]));
  };
  const start = beginning.reduce((snapshot, event) => model.next(snapshot, event), model.initial());
  return walk(start, beginning).map((events) => model.getPathFromEvents(events));
}

function unhurried({ description, steps }: ModelPath, { rest, last }: ExpeditionOptions, pause?: number): ModelPath {
  const timed = steps.map(({ event, pause: usual }, i) => ({
    event,
    pause:
      (i === steps.length - 1 ? last : undefined) ??
      (event.type === 'time.passed' ? rest : undefined) ??
      pause ??
      usual,
  }));
  return { description, steps: timed };
}
