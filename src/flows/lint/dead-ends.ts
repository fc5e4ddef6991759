import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { statesIn, statesOf } from '../state-nodes.ts';
import type { Finding } from './finding.ts';

/**
 * States that are not final and that nothing leaves: no transition of their own, of a state around them, or of a region beside them.
 * `step`: the path of the strategy whose machine it is; such a machine has to end, so that it gives a result.
 */
export function deadEnds(machine: AnyStateMachine, step?: string): readonly Finding[] {
  const states = statesOf(machine);
  const place = (id: string): string => (step === undefined ? id : `${step}: ${id}`);
  const stuck = states.filter((state) => state.type === 'atomic' && !canBeLeft(state));
  const findings = stuck.map(
    ({ id }): Finding => ({
      rule: 'dead-end',
      where: place(id),
      message: 'nothing leaves this state, and it is not final',
    }),
  );
  if (step === undefined || states.some(({ type, parent }) => type === 'final' && isFinalFor(parent, machine)))
    return findings;
  return [
    ...findings,
    { rule: 'dead-end', where: place(machine.id), message: 'no final state: it never gives a result' },
  ];
}

/** Whether a final state there can end the machine: at the top, or in a region of it. */
function isFinalFor(parent: AnyStateNode | undefined, { root }: AnyStateMachine): boolean {
  return parent === root || (root.type === 'parallel' && parent?.parent === root);
}

function canBeLeft(state: AnyStateNode): boolean {
  for (let node: AnyStateNode | undefined = state; node !== undefined; node = node.parent) {
    if (transitionsOf(node).some((transition) => leaves(transition, state))) return true;
    const { parent }: AnyStateNode = node;
    if (
      parent?.type === 'parallel' &&
      statesIn(parent).some((other) => transitionsOf(other).some((t) => leaves(t, parent)))
    )
      return true;
  }
  return false;
}

/** Those that are taken while a state in the node is still to be left: not the one that follows its end. */
function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  const all = [...node.transitions.entries()].filter(([type]) => type !== `xstate.done.state.${node.id}`);
  return [...all.flatMap(([, transitions]) => transitions), ...(node.always ?? [])];
}

function leaves({ target }: AnyTransitionDefinition, state: AnyStateNode): boolean {
  return target?.some((node) => node !== state && !statesIn(state).includes(node)) ?? false;
}
