import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { candidate } from './internet.ts';
import { candidatesOf, eventsOf, introduce, introduceBoth, LEFT_NAT, meeting, RIGHT_NAT } from './pair-of-agents.ts';

const regular = { nomination: 'regular' } as const;
const ID = 'udp4:5000>203.0.113.2:6000';

describe('deferred nomination', () => {
  it('nominates nothing by itself', () => {
    const both = meeting();
    introduceBoth(both);
    both.internet.run(10_000);
    for (const host of [both.left, both.right]) expect(eventsOf(host, 'pair.nominated')).toEqual([]);
  });

  it('nominates on request, on both sides, when asked of the controlling agent', () => {
    const both = meeting();
    introduceBoth(both);
    both.internet.run(1000);
    both.internet.feed(both.right, { type: 'nominate', pairId: both.right.agent.snapshot().pairs[0]!.id });
    both.internet.feed(both.left, { type: 'nominate', pairId: ID });
    both.internet.run(2000);
    expect(eventsOf(both.left, 'pair.nominated').map(({ t }) => t)).toEqual([1080]);
    expect(eventsOf(both.right, 'pair.nominated').map(({ t }) => t)).toEqual([1040]);
    expect(both.left.agent.snapshot().pairs).toMatchObject([{ nominated: true }]);
  });

  it('ignores a request for a pair that is not valid', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', endpoint('203.0.113.99', 6000))]);
    internet.feed(left, { type: 'nominate', pairId: left.agent.snapshot().pairs[0]!.id });
    internet.run(2000);
    expect(internet.sent.length).toBe(4);
    expect(eventsOf(left, 'pair.nominated')).toEqual([]);
  });
});

describe('regular nomination (RFC 8445 section 8.1.1)', () => {
  it('nominates the only pair as soon as it is valid', () => {
    const both = meeting({ leftMore: regular, rightMore: regular });
    introduceBoth(both);
    both.internet.run(1000);
    expect(eventsOf(both.left, 'pair.nominated').map(({ t }) => t)).toEqual([160]);
    expect(eventsOf(both.right, 'pair.nominated').map(({ t }) => t)).toEqual([120]);
  });

  it('waits 200 ms for a better pair, then takes what there is and ends the other checks', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT, leftMore: regular, rightMore: regular });
    introduceBoth(both);
    both.internet.run(10_000);
    expect(eventsOf(both.left, 'pair.nominated').map(({ t }) => t)).toEqual([80 + 200 + 80]);
    expect(both.left.agent.snapshot().pairs).toMatchObject([
      { state: 'failed', failure: 'superseded', remote: { type: 'host' } },
      { state: 'succeeded', nominated: true, remote: { type: 'srflx' } },
    ]);
    expect(both.internet.sent.filter(({ t, to }) => t > 360 && to.startsWith('10.0.0.2'))).toEqual([]);
  });

  it('nominates its pair anew when it was lost and comes back', () => {
    const both = meeting({ leftMore: regular, rightMore: regular });
    const { internet, left, right } = both;
    const ofRight = [candidate('host', right.at), candidate('host', endpoint('10.0.0.2', 6000), right.at, 7)];
    introduce(internet, left, [candidate('host', left.at)], ofRight);
    introduce(internet, right, ofRight, [candidate('host', left.at)]);
    internet.run(1000);
    const [nominated] = eventsOf(left, 'pair.nominated').map(({ event }) => event.pairId);
    expect(nominated).toBe(ID);
    internet.up = false;
    internet.feed(left, { type: 'check', pairId: ID });
    internet.run(6000);
    expect(eventsOf(left, 'pair.lost')).toHaveLength(1);
    expect(left.agent.snapshot().pairs.every(({ nominated }) => !nominated)).toBe(true);
    internet.up = true;
    introduce(internet, right, candidatesOf(internet, right), []);
    internet.feed(right, { type: 'check', pairId: right.agent.snapshot().pairs[0]!.id });
    internet.run(8000);
    expect(eventsOf(left, 'pair.nominated')).toHaveLength(2);
  });
});
