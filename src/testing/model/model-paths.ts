import { getInitialSnapshot, getNextSnapshot, type SnapshotFrom } from 'xstate';
import {
  adjacencyMapToArray,
  createTestModel,
  getAdjacencyMap,
  getShortestPaths,
  type PathGenerator,
  type StatePath,
  type TestModel,
} from 'xstate/graph';
import type { ModelEvent } from './model-event.ts';
import type { traversalMachine } from './model-machine.ts';

export type ModelMachine = ReturnType<typeof traversalMachine>;
export type ModelSnapshot = SnapshotFrom<ModelMachine>;
export type ModelTestModel = TestModel<ModelSnapshot, ModelEvent, unknown>;
type Path = StatePath<ModelSnapshot, ModelEvent>;
type Generator = PathGenerator<ModelSnapshot, ModelEvent, unknown>;

/**
 * The machine as a model of `xstate/graph`, with what that has to be told: only these events, not what XState sends itself nor those
 * that change nothing, and nothing after a final state.
 */
export function testModelOf(machine: ModelMachine, events: readonly ModelEvent[]): ModelTestModel {
  const own = new Set<ModelEvent>(events);
  return createTestModel(machine, {
    events,
    filterEvents: (snapshot, event) => own.has(event) && snapshot.can(event),
    stopWhen: ({ status }) => status !== 'active',
    // What is known of the world belongs to where one is; how one came there does not.
    serializeTransition: () => '',
  }) as ModelTestModel;
}

/** To every state under all circumstances that lead there: some thousand paths. */
export const toEverySituation: Generator = (logic, options) => getShortestPaths(logic, options);

/**
 * Along all ways on which no state comes twice, whatever the circumstances. `xstate/graph` has simple paths too, of which there are more than
 * anybody can count where circumstances are part of a state.
 */
export const alongSimplePaths: Generator = (logic, { events, filterEvents, stopWhen }) => {
  const machine = logic as unknown as ModelMachine;
  const possible = (state: ModelSnapshot): readonly ModelEvent[] => {
    const all = typeof events === 'function' ? events(state) : (events ?? []);
    return stopWhen?.(state) ? [] : all.filter((event) => filterEvents?.(state, event) ?? true);
  };
  const walk = ({ state, steps, weight }: Path, visited: ReadonlySet<string>): Path[] => {
    const longer = possible(state).flatMap((event) => {
      const next = getNextSnapshot(machine, state, event);
      const place = JSON.stringify(next.value);
      const path = { state: next, steps: [...steps, { state: next, event }], weight: weight + 1 };
      return visited.has(place) ? [] : walk(path, new Set([...visited, place]));
    });
    return [{ state, steps, weight }, ...longer];
  };
  const state = getInitialSnapshot(machine);
  return walk({ state, steps: [{ state, event: START }], weight: 0 }, new Set([JSON.stringify(state.value)]));
};

/** Through every event of every state, to each state that it leads to: about a hundred paths. */
export const throughEveryTransition: Generator = (logic, options) => {
  const key = (state: ModelSnapshot): string => options.serializeState!(state, undefined);
  const paths = getShortestPaths(logic, options);
  const shortest = new Map(paths.map((path) => [key(path.state), path]));
  const edges = adjacencyMapToArray(getAdjacencyMap(logic, options));
  const known = new Set<string>();
  return edges
    .map((edge) => ({ ...edge, path: shortest.get(key(edge.state))! }))
    .sort((a, b) => a.path.weight - b.path.weight)
    .flatMap(({ state, event, nextState, path }) => {
      const transition = JSON.stringify([state.value, event, nextState.value]);
      if (known.has(transition)) return [];
      known.add(transition);
      const steps = [...path.steps, { state: nextState, event }];
      return { state: nextState, steps, weight: path.weight + 1 };
    });
};

/** With which all paths of `xstate/graph` begin. */
const START = { type: 'xstate.init' } as unknown as ModelEvent;
