import { describe, expect, it } from 'vitest';
import { inputsOf, SEED, TIMEOUT } from './budget.ts';
import { describeFinding, fuzz } from './engine/fuzz.ts';
import { codecTargets } from './targets/index.ts';

describe('mutated input into a decoder', () => {
  it.each(codecTargets.map((target) => [target.name, target] as const))(
    '%s is understood or refused with its code',
    async (_name, target) => {
      const report = await fuzz(target, { seed: SEED, inputs: inputsOf(target) });
      expect(report.findings.map(describeFinding)).toEqual([]);
      expect(report.outcomes.size).toBeGreaterThan(1);
    },
    TIMEOUT,
  );
});
