import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { BUDGET_PERIOD, CHECK_BUDGET } from '../../../src/protocol/ice/check-budget.ts';
import { createCheckBudget, createIceAgent } from '../../../src/protocol/ice/index.ts';
import { candidate, type Host, Internet } from './internet.ts';
import { checkFromRight } from './messages.ts';
import { eventsOf, introduce, leftOptions, meeting } from './pair-of-agents.ts';

const VICTIM = endpoint('203.0.113.77', 7);

/** The most requests that lie within one period. */
function densest(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((t) => t >= from && t < from + BUDGET_PERIOD).length));
}

describe('the check budget', () => {
  it('lets no more through in any 10 s than it says, to an endpoint, a host and in all', () => {
    const step = fc.record({ host: fc.nat(11), port: fc.nat(5), wait: fc.nat(40), count: fc.nat(90) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const budget = createCheckBudget();
        const sent: { t: number; host: string; at: string }[] = [];
        let t = 0;
        for (const { host, port, wait, count } of steps) {
          t += wait * 50;
          const to = endpoint(`203.0.113.${host + 1}`, 7000 + port);
          for (let i = 0; i < count; i++) {
            if (budget.take(to, t)) sent.push({ t, host: to.address, at: formatEndpoint(to) });
          }
        }
        const times = (key: 'host' | 'at', value: string): number[] =>
          sent.filter((one) => one[key] === value).map((one) => one.t);
        expect(densest(sent.map((one) => one.t))).toBeLessThanOrEqual(CHECK_BUDGET.total);
        for (const host of new Set(sent.map((one) => one.host))) {
          expect(densest(times('host', host))).toBeLessThanOrEqual(CHECK_BUDGET.host);
        }
        for (const at of new Set(sent.map((one) => one.at))) {
          expect(densest(times('at', at))).toBeLessThanOrEqual(CHECK_BUDGET.endpoint);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives all of it out, and all of it again after 10 s', () => {
    const budget = createCheckBudget();
    const taken = (now: number): number =>
      Array.from({ length: 200 }, () => budget.take(VICTIM, now)).filter(Boolean).length;
    expect([0, 9_999, 10_000, 20_000].map(taken)).toEqual([64, 0, 64, 64]);
  });

  it('takes back what was sent to an address that has answered', () => {
    const budget = createCheckBudget();
    for (let i = 0; i < 64; i++) budget.take(VICTIM, 0);
    expect(budget.take(VICTIM, 1)).toBe(false);
    budget.answered(VICTIM);
    expect(budget.take(VICTIM, 2)).toBe(true);
  });
});

describe('agents that share a budget', () => {
  /** The agents of one peer: as many as one ticket allows under way at once. */
  function peer(internet: Internet): Host[] {
    const budget = createCheckBudget();
    return Array.from({ length: 32 }, (_, n) => {
      const at = endpoint('198.51.100.2', 5000 + n);
      const host = internet.join({ name: `agent ${n}`, agent: createIceAgent(leftOptions({ budget })), at });
      introduce(internet, host, [candidate('host', at)], []);
      return host;
    });
  }

  it('do not aim more than 64 requests in 10 s at an address that all of them were told', () => {
    const internet = new Internet({ delay: 20 });
    for (const host of peer(internet)) {
      internet.feed(host, { type: 'remote-candidate', candidate: candidate('host', VICTIM) });
      for (let t = 0; t < 20_000; t += 1000) internet.at(t, () => internet.inject(host, checkFromRight(), VICTIM));
    }
    internet.run(25_000);
    const times = internet.sent.filter(({ request }) => request).map(({ t }) => t);
    expect(times.length).toBeGreaterThan(CHECK_BUDGET.endpoint);
    expect(densest(times)).toBe(CHECK_BUDGET.endpoint);
  });

  it('nor more than 256 at a host, by naming its ports', () => {
    const internet = new Internet({ delay: 20 });
    for (const host of peer(internet)) {
      for (let port = 1; port <= 32; port++) {
        const remote = { ...candidate('host', endpoint('203.0.113.77', port)), foundation: `${port}` };
        internet.feed(host, { type: 'remote-candidate', candidate: remote });
      }
    }
    internet.run(11_000);
    expect(densest(internet.sent.map(({ t }) => t))).toBe(CHECK_BUDGET.host);
  });

  it('wait for their turn: a check that was held back is sent when there is room', () => {
    const budget = createCheckBudget();
    const both = meeting({ leftMore: { budget } });
    const { internet, left, right } = both;
    for (let i = 0; i < 64; i++) budget.take(right.at, -9000);
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    internet.run(900);
    expect(internet.sent).toEqual([]);
    introduce(internet, right, [candidate('host', right.at)], []);
    internet.run(2000);
    expect(eventsOf(left, 'pair.valid').map(({ t }) => t)).toEqual([1480]);
  });
});
