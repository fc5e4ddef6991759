import { type AnyStateMachine, createMachine } from 'xstate';
import type { ChartDefinition, ChartEdge, ChartState } from '../../trace/chart-definition.ts';
import { defineChart } from '../../trace/define-chart.ts';

/** A chart as the JSON of a config that has its names: states, events, guards, actions and delays, but no code and no data. */
export function writeStatelyDefinition({ id, root }: ChartDefinition): string {
  return JSON.stringify({ id, ...configOf(root, `#${id}`) });
}

/**
 * The chart of a machine whose config was made JSON, functions having become their names; `undefined`: it is of no machine, or of
 * one that cannot be made again.
 */
export function readStatelyDefinition(text: string): ChartDefinition | undefined {
  let config: unknown;
  try {
    config = JSON.parse(text);
    // Of what is no machine, its id is all there is.
    if (Object.keys(Object(config)).every((key) => key === 'id')) return undefined;
    return defineChart(createMachine(config as Parameters<typeof createMachine>[0]) as AnyStateMachine);
  } catch {
    // Its depth was cut by the client, or it refers to what is not in it: the actor is shown without its chart.
    return undefined;
  }
}

type Config = Readonly<Record<string, unknown>>;

function configOf(state: ChartState, root: string): Config {
  const { type, description, initial, entry, exit, tags, invoke, edges, states } = state;
  const on = new Map<string, Config[]>();
  const after = new Map<string, Config[]>();
  const always: Config[] = [];
  for (const edge of edges) {
    const { event, delay = '' } = edge;
    const config = transitionOf(edge, root);
    if (event === '') always.push(config);
    else if (event === 'after') put(after, delay.replace(/ ms$/, ''), config);
    else put(on, event, config);
  }
  return {
    ...(type !== 'atomic' && type !== 'compound' && { type }),
    ...(description !== undefined && { description }),
    ...(initial !== undefined && { initial: initial.slice(initial.lastIndexOf('.') + 1) }),
    ...(entry !== undefined && { entry: entry.map(named) }),
    ...(exit !== undefined && { exit: exit.map(named) }),
    ...(tags !== undefined && { tags }),
    ...(invoke !== undefined && { invoke: invoke.map((src) => ({ src })) }),
    ...(on.size > 0 && { on: Object.fromEntries(on) }),
    ...(after.size > 0 && { after: Object.fromEntries(after) }),
    ...(always.length > 0 && { always }),
    ...(states.length > 0 && { states: Object.fromEntries(states.map((child) => [child.key, configOf(child, root)])) }),
  };
}

function transitionOf({ guard, targets, actions, description }: ChartEdge, root: string): Config {
  return {
    ...(guard !== undefined && { guard: named(guard) }),
    ...(targets.length > 0 && { target: targets.map((id) => (id === '' ? root : `${root}.${id}`)) }),
    ...(actions !== undefined && { actions: actions.map(named) }),
    ...(description !== undefined && { description }),
  };
}

function named(type: string): Config {
  return { type };
}

function put(into: Map<string, Config[]>, key: string, config: Config): void {
  const before = into.get(key);
  if (before === undefined) into.set(key, [config]);
  else before.push(config);
}
