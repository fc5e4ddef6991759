import { describe, expect, it } from 'vitest';
import { createConsent } from '../../../src/protocol/ice/consent.ts';
import { seededRandom } from './internet.ts';
import { eventsOf, introduceBoth, LEFT_NAT, type Meeting, meeting, RIGHT_NAT } from './pair-of-agents.ts';

const ID = 'udp4:5000>203.0.113.2:6000';

function connected(leftMore = {}): Meeting {
  const both = meeting({ leftMore });
  introduceBoth(both);
  both.internet.run(200);
  return both;
}

const requestsOf = ({ internet }: Meeting, after: number): number[] =>
  internet.sent.filter(({ t, by, request }) => t > after && by === 'left' && request).map(({ t }) => t);

const confirmedOf = ({ left }: Meeting, after: number): { t: number; rtt: number }[] =>
  eventsOf(left, 'pair.confirmed').flatMap(({ t, event }) => (t > after ? [{ t, rtt: event.rtt }] : []));

describe('consent (RFC 7675)', () => {
  it('is asked for every 4 to 6 s on a pair in use, each answer is reported, and nothing is lost', () => {
    const both = connected();
    both.internet.feed(both.left, { type: 'use', pairIds: [ID] });
    both.internet.run(600_000);
    const times = requestsOf(both, 200);
    const gaps = times.slice(1).map((t, i) => t - times[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(6000 + 80);
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(10);
    expect(confirmedOf(both, 200)).toEqual(times.flatMap((t) => (t + 80 <= 600_000 ? [{ t: t + 80, rtt: 80 }] : [])));
    expect(eventsOf(both.left, 'pair.lost')).toEqual([]);
  });

  it('is asked for every 12 to 18 s on a pair that stands by', () => {
    const both = connected();
    both.internet.run(600_000);
    const times = requestsOf(both, 200);
    const gaps = times.slice(1).map((t, i) => t - times[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(12_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(18_000 + 80);
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
  it('does not take one late timer for silence', () => {
    const consent = createConsent({ random: seededRandom(1), lostAfter: 4000 });
    consent.start('p', 0);
    consent.hurry('p', 0);
    expect(consent.take(0)).toEqual([{ type: 'check', pairId: 'p' }]);
    expect(consent.take(9000)).toEqual([{ type: 'check', pairId: 'p' }]);
    consent.answered('p', 9001);
    expect(consent.take(9600)).toEqual([]);
  });

  it('expires 30 s after the last answer whatever happened in between', () => {
    const consent = createConsent({ random: seededRandom(1), lostAfter: 4000 });
    consent.start('p', 0);
    expect(consent.take(30_000)).toEqual([{ type: 'lost', pairId: 'p', reason: 'consent-expired' }]);
    expect(consent.nextAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('hurries a pair that is taken into use', () => {
    const consent = createConsent({ random: seededRandom(1), lostAfter: 4000 });
    consent.start('p', 0);
    expect(consent.nextAt()).toBeGreaterThanOrEqual(12_000);
    consent.use(['p'], 0);
    expect(consent.nextAt()).toBeLessThanOrEqual(6000);
  });

  it('knows from the start a pair that was taken into use before it was valid', () => {
    const consent = createConsent({ random: seededRandom(1), lostAfter: 4000 });
    consent.use(['p'], 0);
    consent.start('p', 0);
    expect(consent.nextAt()).toBeLessThanOrEqual(6000);
  });
});
