import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { statesOf } from '../../flows/index.ts';
import { edgesOf } from '../../trace/chart-edges.ts';

/** The parts of a chart that can be hit, in the order of its document. */
export interface ChartOutline {
  readonly id: string;
  /** All but the root. */
  readonly states: readonly OutlinedState[];
  readonly transitions: readonly OutlinedTransition[];
}

export interface OutlinedState {
  /** As XState has it: `connection.traversing.punch`. */
  readonly id: string;
  readonly key: string;
  readonly parent: string;
  readonly type: AnyStateNode['type'];
  readonly description?: string;
}

export interface OutlinedTransition {
  /** Its own in the chart. */
  readonly key: string;
  /** Id of the state that it leaves; the chart's own id: any. */
  readonly source: string;
  /** Empty: taken whenever its guard holds. */
  readonly event: string;
  /** In words; absent: without condition. */
  readonly guard?: string;
  /** Ids of states; none: only its actions are taken. */
  readonly targets: readonly string[];
}

export function outlineOf(machine: AnyStateMachine): ChartOutline {
  const { id, root } = machine;
  const states = statesOf(machine);
  return {
    id,
    states: states.map((node) => ({
      id: node.id,
      key: node.key,
      parent: node.parent!.id,
      type: node.type,
      description: node.description,
    })),
    transitions: [root, ...states].flatMap((node: AnyStateNode) =>
      edgesOf(node).map((transition, i) => ({
        key: keyOf(node, transition, i),
        source: node.id,
        event: transition.eventType,
        guard: transition.guard === undefined ? undefined : guardWords(transition.guard),
        targets: (transition.target ?? []).map((target) => (target as AnyStateNode).id),
      })),
    ),
  };
}

/** The key of a transition that a machine tells of; machines with other implementations have the same keys. */
export function transitionKey(transition: AnyTransitionDefinition): string {
  const known = keys.get(transition);
  if (known !== undefined) return known;
  const { source } = transition;
  for (const [i, one] of edgesOf(source).entries()) keys.set(one, keyOf(source, one, i));
  return keys.get(transition)!;
}

const keys = new WeakMap<AnyTransitionDefinition, string>();

function keyOf({ id }: AnyStateNode, { eventType }: AnyTransitionDefinition, index: number): string {
  return `${id} ${index} ${eventType}`;
}

/** `noPath`, `and(noPath, stateIn)`. */
function guardWords(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, name, guards } = guard as { type?: string; name?: string; guards?: readonly unknown[] };
  const word = type ?? (name === '' || name === 'guard' ? 'condition' : name) ?? 'condition';
  return guards === undefined ? word : `${word}(${guards.map(guardWords).join(', ')})`;
}
