import type { ComposedMachine } from '../compile/compose.ts';
import type { StepCost } from '../compile/strategy-state.ts';
import type { Finding } from './finding.ts';
import { strategyStates } from './walk.ts';

/** Strategies that neither bound themselves nor are bound by a step around them. */
export function unboundedSteps(machine: ComposedMachine): readonly Finding[] {
  return strategyStates(machine).flatMap(({ id, meta }): readonly Finding[] => {
    const { strategy, time, packets } = meta as StepCost;
    const findings: Finding[] = [];
    if (time === Infinity) {
      const message = `nothing ends ${strategy}: give it a bound of time, or put it into within()`;
      findings.push({ rule: 'unbounded-time', where: id, message });
    }
    if (packets === Infinity) {
      const message = `nothing limits what ${strategy} sends: give it a bound of packets, or put it into a race that has one`;
      findings.push({ rule: 'unbounded-packets', where: id, message });
    }
    return findings;
  });
}
