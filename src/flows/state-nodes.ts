import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** All states of a machine below its root, in the order of its document: parents first. */
export function statesOf({ root }: AnyStateMachine): readonly AnyStateNode[] {
  return statesIn(root);
}

/** All states inside of one, parents first. */
export function statesIn({ states }: AnyStateNode): readonly AnyStateNode[] {
  return Object.values<AnyStateNode>(states).flatMap((state) => [state, ...statesIn(state)]);
}
