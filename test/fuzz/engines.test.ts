import { describe, expect, it } from 'vitest';
import { inputsOf, SEED, TIMEOUT } from './budget.ts';
import { describeFinding, fuzz } from './engine/fuzz.ts';
import { codecTargets, engineTargets, sessionTargets, textTargets } from './targets/index.ts';

describe('mutated input into an engine', () => {
  it.each([...engineTargets, ...sessionTargets].map((target) => [target.name, target] as const))(
    '%s keeps all its promises',
    async (_name, target) => {
      const report = await fuzz(target, { seed: SEED, inputs: inputsOf(target) });
      expect(report.findings.map(describeFinding)).toEqual([]);
      expect(report.inputs).toBe(inputsOf(target));
    },
    TIMEOUT,
  );
});

it('a million inputs and more are of the protocols', () => {
  const protocols = [...codecTargets, ...engineTargets, ...sessionTargets].filter(
    (target) => !textTargets.includes(target),
  );
  expect(protocols.reduce((sum, target) => sum + inputsOf(target), 0)).toBeGreaterThan(1_000_000);
});
