import type { AnyStateMachine, AnyStateNode, TransitionDefinition } from 'xstate';

// biome-ignore lint/suspicious/noExplicitAny: XState's own type of a transition of whatever machine
export type StateEdge = TransitionDefinition<any, any>;

/** The keys from below the root to a state, joined by dots; of the root ''. */
export function stateIdOf({ path }: Pick<AnyStateNode, 'path'>): string {
  return path.join('.');
}

/** The edges that leave a state, those that need no event last; their order gives them their numbers. */
export function edgesOf(node: AnyStateNode): readonly StateEdge[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** How an edge goes in traces, `connected.path.relayed#0`, by the object that XState shows when it is taken; `undefined`: none of the code. */
export function edgeIds(machine: AnyStateMachine): (edge: object) => string | undefined {
  const ids = new WeakMap<object, string>();
  const enter = (node: AnyStateNode): void => {
    for (const [index, edge] of edgesOf(node).entries()) ids.set(edge, `${stateIdOf(node)}#${index}`);
    for (const child of Object.values(node.states)) enter(child);
  };
  enter(machine.root);
  return (edge) => ids.get(edge);
}
