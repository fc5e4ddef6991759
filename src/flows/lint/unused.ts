import type { AnyStateMachine } from 'xstate';
import type { Finding } from './finding.ts';

/** What a machine was provided with that the one which was composed knows nothing of: a name that is misspelt, as a rule. */
export function unusedImplementations(
  machine: AnyStateMachine | undefined,
  composed: AnyStateMachine | undefined,
): readonly Finding[] {
  if (machine === undefined || composed === undefined) return [];
  return KINDS.flatMap(([kind, noun]) => {
    const known = composed.implementations[kind];
    const unknown = Object.keys(machine.implementations[kind]).filter((name) => !Object.hasOwn(known, name));
    return unknown.map((name): Finding => {
      const names = Object.keys(known).map((one) => `'${one}'`);
      const message = `nothing asks for the ${noun} '${name}'; there are ${names.join(', ') || 'none'}`;
      return { rule: 'unused', where: machine.id, message };
    });
  });
}

const KINDS = [
  ['actors', 'actor'],
  ['actions', 'action'],
  ['guards', 'guard'],
  ['delays', 'delay'],
] as const;
