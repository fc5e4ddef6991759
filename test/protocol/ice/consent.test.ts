import { describe, expect, it } from 'vitest';
import { createConsent } from '../../../src/protocol/ice/consent.ts';
import type { IceAgentOptions } from '../../../src/protocol/ice/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { eventsOf, introduceBoth, LEFT_NAT, type Meeting, meeting, RIGHT_NAT } from './pair-of-agents.ts';

const ID = 'udp4:5000>203.0.113.2:6000';

/** `more`: of both agents, which take turns by default. */
function connected(more: Partial<IceAgentOptions> = {}): Meeting {
  const both = meeting({ leftMore: more, rightMore: more });
  introduceBoth(both);
  both.internet.run(200);
  return both;
}

const requestsOf = ({ internet }: Meeting, after: number, by = 'left'): number[] =>
  internet.sent.filter((sent) => sent.t > after && sent.by === by && sent.request).map(({ t }) => t);

const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((t, i) => t - times[i]!);

/** Both sides send data on the pair between them. */
function useBoth({ internet, left, right }: Meeting): void {
  for (const host of [left, right]) {
    internet.feed(host, { type: 'use', pairIds: [host.agent.snapshot().pairs[0]!.id] });
  }
}

const confirmedOf = ({ left }: Meeting, after: number): { t: number; rtt: number }[] =>
  eventsOf(left, 'pair.confirmed').flatMap(({ t, event }) => (t > after ? [{ t, rtt: event.rtt }] : []));

describe('consent (RFC 7675), each side by itself', () => {
  it('is asked for every 4 to 6 s on a pair in use, each answer is reported, and nothing is lost', () => {
    const both = connected({ nomination: 'regular' });
    both.internet.feed(both.left, { type: 'use', pairIds: [ID] });
    both.internet.run(600_000);
    const times = requestsOf(both, 200);
    const gaps = gapsOf(times);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(6000 + 80);
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(3);
    expect(confirmedOf(both, 200)).toEqual(times.flatMap((t) => (t + 80 <= 600_000 ? [{ t: t + 80, rtt: 80 }] : [])));
    expect(eventsOf(both.left, 'pair.lost')).toEqual([]);
  });

  it('is asked for every 12 to 18 s on a pair that stands by', () => {
    const both = connected({ nomination: 'regular' });
    both.internet.run(600_000);
    const times = requestsOf(both, 200);
    const gaps = gapsOf(times);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(12_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(18_000 + 80);
  });
});

describe('consent in turns', () => {
  it.each([
    ['in use', useBoth, 3000],
    ['that stands by', () => {}, 12_000],
  ] as const)('is asked for by the two sides alternately on a pair %s', (_, begin, turn) => {
    const both = connected();
    begin(both);
    both.internet.run(1_200_000);
    const [ofLeft, ofRight] = [requestsOf(both, 30_000), requestsOf(both, 30_000, 'right')];
    for (const gaps of [gapsOf(ofLeft), gapsOf(ofRight)]) {
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1.6 * turn);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * turn + 80);
      expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(3);
    }
    const gaps = gapsOf([...ofLeft, ...ofRight].sort((a, b) => a - b));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.8 * turn);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(turn + 40);
    for (const host of [both.left, both.right]) expect(eventsOf(host, 'pair.lost')).toEqual([]);
  });

  it('is doubted on both sides within 5 s of a path’s death, at whatever moment it dies, and on neither of a path that lives', () => {
    for (let death = 20_000; death < 26_000; death += 250) {
      const both = connected();
      useBoth(both);
      both.internet.at(death, () => {
        both.internet.up = false;
      });
      both.internet.run(40_000);
      for (const host of [both.left, both.right]) {
        const [doubtful, ...more] = eventsOf(host, 'pair.doubtful').map(({ t }) => t);
        expect(doubtful).toBeGreaterThan(death);
        expect(doubtful).toBeLessThanOrEqual(death + 5000);
        expect(more).toEqual([]);
        expect(eventsOf(host, 'pair.lost').map(({ t }) => t)).toEqual([doubtful! + 3000]);
      }
    }
  });

  it('uses a fresh transaction each time and settles every one', () => {
    const both = connected();
    both.internet.run(100_000);
    const { requestsSent, responsesReceived } = both.left.agent.snapshot().pairs[0]!;
    expect(responsesReceived).toBe(requestsSent);
  });

  it('notices a dead path 4 s after the first unanswered check, asking every 500 ms', () => {
    const both = connected();
    both.internet.feed(both.left, { type: 'use', pairIds: [ID] });
    both.internet.up = false;
    both.internet.run(30_000);
    const [first, ...rest] = requestsOf(both, 200);
    expect(rest.map((t) => t - first!)).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3500]);
    expect(eventsOf(both.left, 'pair.lost')).toEqual([
      { t: first! + 4000, event: { type: 'pair.lost', pairId: ID, reason: 'unanswered' } },
    ]);
    expect(both.left.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'lost' }]);
  });

  it('asks at once when told that the path looks dead, and reports the answer', () => {
    const both = connected();
    both.internet.run(1000);
    both.internet.feed(both.left, { type: 'check', pairId: ID });
    both.internet.feed(both.left, { type: 'check', pairId: ID });
    both.internet.run(1100);
    expect(requestsOf(both, 200)).toEqual([1000]);
    expect(confirmedOf(both, 200)).toEqual([{ t: 1080, rtt: 80 }]);
  });

  it('a suspected path that is dead is lost 4 s later', () => {
    const both = connected();
    both.internet.run(1000);
    both.internet.up = false;
    both.internet.feed(both.left, { type: 'check', pairId: ID });
    both.internet.run(6000);
    expect(eventsOf(both.left, 'pair.lost').map(({ t }) => t)).toEqual([5000]);
  });

  it('a gap shorter than 4 s loses nothing', () => {
    const both = connected();
    both.internet.run(1000);
    both.internet.up = false;
    both.internet.feed(both.left, { type: 'check', pairId: ID });
    both.internet.at(4300, () => {
      both.internet.up = true;
    });
    both.internet.run(10_000);
    expect(confirmedOf(both, 200)).toEqual([{ t: 4580, rtt: 80 }]);
    expect(eventsOf(both.left, 'pair.lost')).toEqual([]);
  });

  it('a pair comes back when the other side gets through again', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: { ...RIGHT_NAT, filtering: 0 } });
    introduceBoth(both);
    both.internet.run(1000);
    const [pairId] = eventsOf(both.right, 'pair.valid').map(({ event }) => event.pairId);
    both.internet.up = false;
    both.internet.feed(both.right, { type: 'check', pairId: pairId! });
    both.internet.run(6000);
    expect(eventsOf(both.right, 'pair.lost')).toHaveLength(1);
    both.internet.up = true;
    both.internet.feed(both.left, { type: 'check', pairId: eventsOf(both.left, 'pair.valid')[0]!.event.pairId });
    both.internet.run(7000);
    expect(eventsOf(both.right, 'pair.valid').map(({ t }) => t)).toEqual([80, 6120]);
  });
});

describe('the consent timer', () => {
  const timer = (pace: 'alone' | 'turns' = 'alone') =>
    createConsent({ random: seededRandom(1), lostAfter: 4000, pace });

  it('asks in spite of somebody who asks all the time', () => {
    const consent = timer('turns');
    consent.use(['p'], 0);
    consent.start('p', 0);
    const asked: number[] = [];
    for (let now = 0; now < 100_000; now += 100) {
      consent.heard('p', now);
      for (const { type } of consent.take(now)) {
        expect(type).toBe('check');
        asked.push(now);
        consent.answered('p', now);
      }
    }
    expect(Math.max(...gapsOf(asked))).toBeLessThanOrEqual(6000);
    expect(asked.length).toBeGreaterThan(15);
  });

  it('asks at multiples of 250 ms only, so that many pairs are asked together, by chance at all of them that are in time', () => {
    const points = new Set<number>();
    for (let now = 0; now < 100; now++) {
      const consent = timer('turns');
      consent.use(['p'], now);
      consent.start('p', now);
      for (let i = 0; i < 20; i++) {
        consent.answered('p', now);
        points.add(consent.nextAt());
      }
    }
    expect([...points].sort((a, b) => a - b)).toEqual([3000, 3250, 3500]);
  });

  it('asks every 3 to 3.6 s on a pair in use whose other side does not take its turn', () => {
    const consent = timer('turns');
    consent.use(['p'], 0);
    consent.start('p', 0);
    const asked: number[] = [];
    while (consent.nextAt() < 600_000) {
      const now = consent.nextAt();
      expect(consent.take(now)).toEqual([{ type: 'check', pairId: 'p' }]);
      consent.answered('p', now);
      asked.push(now);
    }
    expect(Math.min(...gapsOf(asked))).toBeGreaterThanOrEqual(3000);
    expect(Math.max(...gapsOf(asked))).toBeLessThanOrEqual(3600);
  });

  it('goes on asking quickly when it hears the other side, which does not hear us', () => {
    const consent = timer('turns');
    consent.start('p', 0);
    consent.hurry('p', 0);
    const steps: string[] = [];
    for (let now = 0; now <= 4000; now += 250) {
      consent.heard('p', now);
      steps.push(...consent.take(now).map(({ type }) => `${now} ${type}`));
    }
    expect(steps).toEqual([
      '0 check',
      '500 check',
      '1000 check',
      '1000 doubtful',
      ...[1500, 2000, 2500, 3000, 3500].map((t) => `${t} check`),
      '4000 lost',
    ]);
  });

  it('does not take one late timer for silence', () => {
    const consent = timer();
    consent.start('p', 0);
    consent.hurry('p', 0);
    expect(consent.take(0)).toEqual([{ type: 'check', pairId: 'p' }]);
    expect(consent.take(9000)).toEqual([{ type: 'check', pairId: 'p' }]);
    consent.answered('p', 9001);
    expect(consent.take(9600)).toEqual([]);
  });

  it('expires 30 s after the last answer whatever happened in between', () => {
    const consent = timer();
    consent.start('p', 0);
    expect(consent.take(30_000)).toEqual([{ type: 'lost', pairId: 'p', reason: 'consent-expired' }]);
    expect(consent.nextAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('hurries a pair that is taken into use', () => {
    const consent = timer();
    consent.start('p', 0);
    expect(consent.nextAt()).toBeGreaterThanOrEqual(12_000);
    consent.use(['p'], 0);
    expect(consent.nextAt()).toBeLessThanOrEqual(6000);
  });

  it('knows from the start a pair that was taken into use before it was valid', () => {
    const consent = timer();
    consent.use(['p'], 0);
    consent.start('p', 0);
    expect(consent.nextAt()).toBeLessThanOrEqual(6000);
  });
});
