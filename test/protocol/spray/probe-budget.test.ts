import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createProbeBudget, PROBE_BUDGET, PROBE_PERIOD, type ProbeBudget } from '../../../src/protocol/spray/index.ts';

/** How many probes leave of `tries` at once. */
function taken(budget: ProbeBudget, address: string, now = 0, tries = 3000): number {
  return Array.from({ length: tries }, () => budget.take(address, now)).filter(Boolean).length;
}

/** The most probes that lie within one period; `times` go up. */
function densest(times: readonly number[]): number {
  let from = 0;
  return times.reduce((most, t, i) => {
    while (times[from]! <= t - PROBE_PERIOD) from++;
    return Math.max(most, i - from + 1);
  }, 0);
}

/** A row of addresses, each in another network. */
const scattered = (n: number): string => `203.${n >> 8}.${n & 0xff}.7`;

describe('the budget for probes', () => {
  test('gives each address its own', () => {
    const budget = createProbeBudget();
    expect(taken(budget.share('one'), '198.51.100.1')).toBe(PROBE_BUDGET.address);
    expect(budget.share('other').take('198.51.100.1', 20)).toBe(false);
    expect(budget.share('other').take('198.51.100.2', 20)).toBe(true);
  });

  test('gives as much as goes out of the period, as it does', () => {
    const budget = createProbeBudget().share('one');
    const address = '198.51.100.7';
    expect([taken(budget, address, 0, 1), taken(budget, address, 59_000)]).toEqual([1, PROBE_BUDGET.address - 1]);
    expect(taken(budget, address, PROBE_PERIOD - 1)).toBe(0);
    expect(taken(budget, address, PROBE_PERIOD)).toBe(1);
    expect(taken(budget, address, 59_000 + PROBE_PERIOD)).toBe(PROBE_BUDGET.address - 1);
  });

  test.each([
    ['a network of IPv4', (n: number) => `198.51.100.${n % 256}`],
    ['a network of IPv6', (n: number) => `2001:db8::${n.toString(16)}`],
  ])('is one for all addresses of %s, and leaves others as much as one takes', (_, at) => {
    const budget = createProbeBudget();
    const most = (who: string): number =>
      Array.from({ length: 3000 }, (_, n) => budget.share(who).take(at(n), 0)).filter(Boolean).length;
    expect([...'abcd'].map(most)).toEqual([1300, 650, 325, 163]);
  });

  test('leaves others as much of all as one takes', () => {
    const budget = createProbeBudget();
    const most = (who: string): number =>
      Array.from({ length: 6000 }, (_, n) => budget.share(who).take(scattered(n), 0)).filter(Boolean).length;
    expect([...'abc'].map(most)).toEqual([2600, 1300, 650]);
  });

  test('has enough for two that spray at once, each with all that an address may get', () => {
    const budget = createProbeBudget();
    const both = ['one', 'other'].map((who, n) => taken(budget.share(who), scattered(n)));
    expect(both).toEqual([PROBE_BUDGET.address, PROBE_BUDGET.address]);
  });

  test('lets no more through in any minute than it says, whoever asks, in any order', () => {
    const turn = fc.record({
      who: fc.nat(5),
      at: fc.nat(7),
      wait: fc.nat(30),
      count: fc.integer({ min: 1, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 30 }), (turns) => {
        const budget = createProbeBudget();
        const sent: { t: number; address: string; network: number }[] = [];
        let t = 0;
        for (const { who, at, wait, count } of turns) {
          t += wait * 500;
          const network = at >> 2;
          const address = `203.0.${network}.${at}`;
          for (let i = 0; i < count; i++)
            if (budget.share(`${who}`).take(address, t)) sent.push({ t, address, network });
        }
        const timesOf = (key: 'address' | 'network', value: unknown): number[] =>
          sent.filter((one) => one[key] === value).map((one) => one.t);
        expect(densest(sent.map((one) => one.t))).toBeLessThanOrEqual(PROBE_BUDGET.total);
        for (const network of [0, 1]) {
          expect(densest(timesOf('network', network))).toBeLessThanOrEqual(PROBE_BUDGET.network);
        }
        for (const address of new Set(sent.map((one) => one.address))) {
          expect(densest(timesOf('address', address))).toBeLessThanOrEqual(PROBE_BUDGET.address);
        }
      }),
      { numRuns: 25 },
    );
  });
});
