import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { BUDGET_PERIOD, CHECK_BUDGET } from '../../../src/protocol/ice/check-budget.ts';
import {
  type CheckBudget,
  createCheckBudget,
  createIceAgent,
  type SharedCheckBudget,
} from '../../../src/protocol/ice/index.ts';
import { candidate, type Host, Internet } from './internet.ts';
import { checkFromRight } from './messages.ts';
import { eventsOf, introduce, leftOptions, meeting } from './pair-of-agents.ts';

const VICTIM = endpoint('203.0.113.77', 7);

/** The most requests that lie within one period. */
function densest(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((t) => t >= from && t < from + BUDGET_PERIOD).length));
}

/** How many requests leave of `tries` at once. */
function taken(budget: CheckBudget, now: number, to = VICTIM, tries = 3000): number {
  return Array.from({ length: tries }, () => budget.take(to, now)).filter(Boolean).length;
}

/** Takes all that there is for an address, in the name of as many as it needs. */
function useUp(budget: SharedCheckBudget, now: number, to = VICTIM): void {
  for (const who of 'abcdefg') taken(budget.share(who), now, to);
}

describe('the check budget', () => {
  it('lets no more through in any 10 s than it says, to an endpoint, a host and in all, whoever asks', () => {
    const step = fc.record({ who: fc.nat(9), host: fc.nat(11), port: fc.nat(5), wait: fc.nat(40), count: fc.nat(90) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const budget = createCheckBudget();
        const sent: { t: number; who: number; host: string; at: string }[] = [];
        let t = 0;
        for (const { who, host, port, wait, count } of steps) {
          t += wait * 50;
          const to = endpoint(`203.0.113.${host + 1}`, 7000 + port);
          for (let i = 0; i < count; i++) {
            if (budget.share(`${who}`).take(to, t)) sent.push({ t, who, host: to.address, at: formatEndpoint(to) });
          }
        }
        const times = (key: 'who' | 'host' | 'at', value: string | number): number[] =>
          sent.filter((one) => one[key] === value).map((one) => one.t);
        expect(densest(sent.map((one) => one.t))).toBeLessThanOrEqual(CHECK_BUDGET.total);
        for (const who of new Set(sent.map((one) => one.who))) {
          expect(densest(times('who', who))).toBeLessThanOrEqual(CHECK_BUDGET.total / 2);
        }
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

  it('gives each half of what the others have left, and all of it again after 10 s', () => {
    const budget = createCheckBudget();
    const round = (now: number): number[] => [...'abcdefgh'].map((who) => taken(budget.share(who), now));
    expect(round(0)).toEqual([32, 16, 8, 4, 2, 1, 1, 0]);
    expect(round(9_999)).toEqual(new Array(8).fill(0));
    expect(round(10_000)).toEqual([32, 16, 8, 4, 2, 1, 1, 0]);
  });

  it.each([
    ['an endpoint', CHECK_BUDGET.endpoint, () => VICTIM],
    ['a host', CHECK_BUDGET.host, (n: number) => endpoint('203.0.113.77', 1024 + n)],
    ['all', CHECK_BUDGET.total, (n: number) => endpoint(`203.${n >> 8}.113.${n & 0xff}`, 7000)],
  ])('leaves half of %s to others, however much one asks for', (_, limit, to) => {
    const budget = createCheckBudget();
    const greedy = budget.share('greedy');
    const got = Array.from({ length: 3000 }, (_, n) => greedy.take(to(n), 0)).filter(Boolean).length;
    expect(got).toBe(limit / 2);
    expect(greedy.take(to(0), 1)).toBe(false);
    expect(budget.share('modest').take(to(0), 1)).toBe(true);
  });

  it('is one share for all that come under one name', () => {
    const budget = createCheckBudget();
    expect([taken(budget.share('one'), 0), taken(budget.share('one'), 0)]).toEqual([32, 0]);
  });

  it('takes back what was sent to an address that has answered, to those whom it has answered', () => {
    const budget = createCheckBudget();
    const [one, other] = [budget.share('one'), budget.share('other')];
    expect([taken(one, 0), taken(other, 0)]).toEqual([32, 16]);
    one.answered(VICTIM);
    expect([taken(other, 1), taken(one, 1)]).toEqual([16, 16]);
    one.answered(endpoint('203.0.113.77', 8));
    expect(one.take(VICTIM, 2)).toBe(false);
  });
});

describe('agents that share a budget', () => {
  /** The agents of one peer, each for another ticket. */
  function peer(internet: Internet): Host[] {
    const shared = createCheckBudget();
    return Array.from({ length: 32 }, (_, n) => {
      const at = endpoint('198.51.100.2', 5000 + n);
      const budget = shared.share(`ticket ${n}`);
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
    expect(densest(times)).toBeLessThanOrEqual(CHECK_BUDGET.endpoint);
    expect(densest(times)).toBeGreaterThan(0.9 * CHECK_BUDGET.endpoint);
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
    const most = densest(internet.sent.map(({ t }) => t));
    expect(most).toBeLessThanOrEqual(CHECK_BUDGET.host);
    expect(most).toBeGreaterThan(0.9 * CHECK_BUDGET.host);
  });

  it('wait for their turn: a check that was held back is sent when there is room', () => {
    const budget = createCheckBudget();
    const { internet, left, right } = meeting({ leftMore: { budget: budget.share('right') } });
    useUp(budget, -9000, right.at);
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    internet.run(900);
    expect(internet.sent).toEqual([]);
    introduce(internet, right, [candidate('host', right.at)], []);
    internet.run(2000);
    expect(eventsOf(left, 'pair.valid').map(({ t }) => t)).toEqual([1480]);
  });
});
