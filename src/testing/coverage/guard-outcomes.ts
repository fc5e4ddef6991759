import type { AnyEventObject, AnyMachineSnapshot, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** Told of each guard that must have been asked, and its answer. */
export type NoteOutcome = (transition: AnyTransitionDefinition, outcome: boolean) => void;

/**
 * XState tells which transitions were taken and not which guards were asked. That follows: of one state and event, those before the one
 * that was taken have failed, and where none was taken, all have; what a child takes its parents are not asked about.
 */
export function noteEventOutcomes(
  before: AnyMachineSnapshot,
  event: AnyEventObject,
  taken: ReadonlySet<AnyTransitionDefinition>,
  note: NoteOutcome,
): void {
  const active = activeNodes(before);
  const ask = (node: AnyStateNode): boolean => {
    const children = Object.values(node.states).filter((child) => active.has(child));
    // Every region is asked.
    const answers = children.map(ask);
    return answers.includes(true) || askAll(candidates(node, event.type), taken, note);
  };
  ask(before.machine.root);
}

/** The same for transitions without an event, which are asked for each atomic state and all that it is in. */
export function noteAlwaysOutcomes(
  before: AnyMachineSnapshot,
  taken: ReadonlySet<AnyTransitionDefinition>,
  note: NoteOutcome,
): void {
  const asked = new Set<AnyStateNode>();
  for (const atom of activeNodes(before)) {
    if (Object.keys(atom.states).length > 0) continue;
    for (let node: AnyStateNode | undefined = atom; node !== undefined; node = node.parent) {
      if (asked.has(node)) {
        if (node.always?.some((transition: AnyTransitionDefinition) => taken.has(transition))) break;
        continue;
      }
      asked.add(node);
      if (askAll(node.always ?? [], taken, note)) break;
    }
  }
}

/** Whether one of them was taken. */
function askAll(
  transitions: readonly AnyTransitionDefinition[],
  taken: ReadonlySet<AnyTransitionDefinition>,
  note: NoteOutcome,
): boolean {
  for (const transition of transitions) {
    const outcome = taken.has(transition);
    if (transition.guard !== undefined) note(transition, outcome);
    if (outcome) return true;
  }
  return false;
}

function candidates({ transitions }: AnyStateNode, type: string): readonly AnyTransitionDefinition[] {
  if (transitions.size === 0) return [];
  return [...transitions].flatMap(([descriptor, all]) => (matches(descriptor, type) ? all : []));
}

/** A descriptor is an event's type, all events (`*`), or those that begin alike (`mapping.*`). */
function matches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true;
  return descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1));
}

/** XState keeps the nodes of a snapshot beside its value, and does not declare them. */
export function activeNodes(snapshot: AnyMachineSnapshot): ReadonlySet<AnyStateNode> {
  return new Set((snapshot as AnyMachineSnapshot & { readonly _nodes: readonly AnyStateNode[] })._nodes);
}
