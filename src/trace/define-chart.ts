import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { ChartDefinition, ChartEdge, ChartState } from './chart-definition.ts';
import { edgesOf, type StateEdge, stateIdOf } from './chart-edges.ts';

/** How a machine is drawn: its states and edges in the order of the code, by the names of the code. */
export function defineChart(machine: AnyStateMachine): ChartDefinition {
  return { id: machine.id, root: defineState(machine.root) };
}

function defineState(node: AnyStateNode): ChartState {
  const initial = node.type === 'compound' ? node.initial?.target?.[0] : undefined;
  const entry = node.entry.filter(isOfTheCode).map(actionName);
  const exit = node.exit.filter(isOfTheCode).map(actionName);
  const invoke = node.invoke.map(({ src, id }) =>
    typeof src === 'string' && !src.startsWith('xstate.') ? src : id.startsWith('xstate.') ? INLINE : id,
  );
  return {
    id: stateIdOf(node),
    key: node.key,
    type: node.type,
    ...(node.description !== undefined && { description: node.description }),
    ...(initial !== undefined && { initial: stateIdOf(initial) }),
    ...(entry.length > 0 && { entry }),
    ...(exit.length > 0 && { exit }),
    ...(node.tags.length > 0 && { tags: [...node.tags] }),
    ...(invoke.length > 0 && { invoke }),
    edges: edgesOf(node).map((edge) => defineEdge(node, edge)),
    states: Object.values(node.states).map(defineState),
  };
}

function defineEdge(node: AnyStateNode, edge: StateEdge): ChartEdge {
  const { eventType, guard, target, actions, description } = edge;
  const delayed = node.after.find((other) => other.eventType === eventType);
  const names = actions.map(actionName);
  return {
    event: delayed === undefined ? eventType : 'after',
    ...(delayed !== undefined && { delay: delayName(delayed.delay) }),
    ...(guard !== undefined && { guard: guardName(guard) }),
    targets: target?.map(stateIdOf) ?? [],
    ...(names.length > 0 && { actions: names }),
    ...(description !== undefined && { description }),
  };
}

/** XState makes functions of its own of `and`, `or`, `not` and `stateIn`, which hold what they were given. */
function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, guards, stateValue } = Object(guard) as {
    readonly type?: unknown;
    readonly guards?: readonly unknown[];
    readonly stateValue?: unknown;
  };
  if (typeof type === 'string') return type;
  if (guards !== undefined) return `${(guard as { readonly name: string }).name}(${guards.map(guardName).join(', ')})`;
  if (stateValue !== undefined) {
    return `stateIn(${typeof stateValue === 'string' ? stateValue : JSON.stringify(stateValue)})`;
  }
  return INLINE;
}

/** XState itself adds to a state what begins its delays and ends them. */
function isOfTheCode(action: unknown): boolean {
  const { event, sendId } = Object(action) as { readonly event?: unknown; readonly sendId?: unknown };
  const name = sendId ?? Object(event).type;
  return typeof name !== 'string' || !name.startsWith('xstate.after.');
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  const { type } = Object(action) as { readonly type?: unknown };
  if (typeof type !== 'string') return INLINE;
  return type.replace(/^xstate\./, '');
}

function delayName(delay: unknown): string {
  if (typeof delay === 'number') return `${delay} ms`;
  if (typeof delay !== 'string') return INLINE;
  return /^\d+$/.test(delay) ? `${delay} ms` : delay;
}

/** What has no name in the code. */
const INLINE = 'inline';
