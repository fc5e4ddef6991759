import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { ComposedMachine } from '../compile/compose.ts';
import type { StepCost } from '../compile/strategy-state.ts';
import { LONGEST } from '../usage.ts';
import type { Finding } from './finding.ts';
import { strategyStates } from './walk.ts';

/** Strategies that neither bound themselves nor are bound by a step around them. */
export function unboundedSteps(machine: ComposedMachine): readonly Finding[] {
  return strategyStates(machine).flatMap((state): readonly Finding[] => {
    const { strategy, packets } = state.meta as StepCost;
    const findings: Finding[] = [];
    if (!isTimed(machine, state)) {
      const message = `nothing ends ${strategy}: give it a bound of time, or put it into within()`;
      findings.push({ rule: 'unbounded-time', where: state.id, message });
    }
    if (packets === Infinity) {
      const message = `nothing limits what ${strategy} sends: give it a bound of packets, or put it into a race that has one`;
      findings.push({ rule: 'unbounded-packets', where: state.id, message });
    }
    return findings;
  });
}

/** Whether a delay of the state, or of one around it, ends it; a user may have given another delay than was composed. */
function isTimed(machine: AnyStateMachine, { after, parent }: AnyStateNode): boolean {
  const { delays } = machine.implementations;
  return (
    after.some(({ delay }) => isTime(typeof delay === 'string' ? delays[delay] : delay)) ||
    (parent !== undefined && isTimed(machine, parent))
  );
}

/** What a function gives shows at run time only. */
function isTime(delay: unknown): boolean {
  return typeof delay === 'function' || (typeof delay === 'number' && delay >= 0 && delay <= LONGEST);
}
