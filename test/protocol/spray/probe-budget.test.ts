import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createProbeBudget, PROBE_PERIOD, PROBES_PER_ADDRESS } from '../../../src/protocol/spray/probe-budget.ts';

describe('the budget for probes', () => {
  test('gives each address its own', () => {
    const budget = createProbeBudget();
    for (let i = 0; i < PROBES_PER_ADDRESS; i++) expect(budget.take('198.51.100.1', i / 100)).toBe(true);
    expect(budget.take('198.51.100.1', 20)).toBe(false);
    expect(budget.take('198.51.100.2', 20)).toBe(true);
  });

  test('begins anew when the period is over', () => {
    const budget = createProbeBudget();
    for (let i = 0; i < PROBES_PER_ADDRESS; i++) budget.take('198.51.100.1', 1000);
    expect(budget.take('198.51.100.1', 1000 + PROBE_PERIOD - 1)).toBe(false);
    expect(budget.take('198.51.100.1', 1000 + PROBE_PERIOD)).toBe(true);
  });

  test('lets no more through in any order of asking', () => {
    const asking = fc.array(
      fc.record({ who: fc.integer({ min: 0, max: 3 }), times: fc.integer({ min: 1, max: 900 }) }),
    );
    fc.assert(
      fc.property(asking, (turns) => {
        const budget = createProbeBudget();
        const given = [0, 0, 0, 0];
        for (const { who, times } of turns) {
          for (let i = 0; i < times; i++) if (budget.take(`198.51.100.${who}`, 5)) given[who]!++;
        }
        for (const count of given) expect(count).toBeLessThanOrEqual(PROBES_PER_ADDRESS);
      }),
    );
  });
});
