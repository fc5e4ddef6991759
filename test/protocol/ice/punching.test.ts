import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { candidate, type Nat } from './internet.ts';
import {
  candidatesOf,
  eventsOf,
  introduce,
  introduceBoth,
  LEFT_NAT,
  type Meeting,
  meeting,
  RIGHT_NAT,
} from './pair-of-agents.ts';

const validAt = ({ left, right }: Meeting): (number | undefined)[] =>
  [left, right].map((host) => eventsOf(host, 'pair.valid')[0]?.t);

describe('two agents', () => {
  it('without NATs are valid one round trip after they start', () => {
    const both = meeting();
    introduceBoth(both);
    both.internet.run(1000);
    expect(validAt(both)).toEqual([80, 80]);
    expect(eventsOf(both.left, 'pair.valid')[0]!.event).toMatchObject({
      local: { type: 'host', endpoint: both.left.at },
      remote: { type: 'host', endpoint: both.right.at },
      rtt: 80,
      nominated: false,
    });
  });

  it('behind endpoint-independent mapping and address-and-port-dependent filtering meet in one round trip', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT });
    introduceBoth(both);
    both.internet.run(1000);
    expect(validAt(both)).toEqual([80, 80]);
    const { local, remote } = eventsOf(both.left, 'pair.valid')[0]!.event;
    expect([local.type, remote.type]).toEqual(['srflx', 'srflx']);
    expect(formatEndpoint(remote.endpoint)).toMatch(/^203\.0\.113\.1:/);
  });

  it('lose no time to three dead host candidates that come first', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT });
    const { internet, left, right } = both;
    const dead = ['172.17.0.1', '172.18.0.1'];
    const ofLeft = [...candidatesOf(internet, left), ...dead.map((ip) => candidate('host', endpoint(ip, 5000)))];
    const ofRight = [...candidatesOf(internet, right), ...dead.map((ip) => candidate('host', endpoint(ip, 6000)))];
    introduce(internet, left, ofLeft, ofRight);
    introduce(internet, right, ofRight, ofLeft);
    internet.run(1000);
    expect(validAt(both)).toEqual([80, 80]);
  });

  it('pay Ta for each dead candidate when checks may not leave back to back', () => {
    const strict = { burst: 1 };
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT, leftMore: strict, rightMore: strict });
    introduceBoth(both);
    both.internet.run(1000);
    expect(validAt(both)).toEqual([85, 85]);
  });

  it('meet when the other one starts two seconds late, at its first check', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT });
    const { internet, left, right } = both;
    const ofLeft = candidatesOf(internet, left);
    const ofRight = candidatesOf(internet, right);
    introduce(internet, left, ofLeft, ofRight);
    internet.at(2000, () => introduce(internet, right, ofRight, ofLeft));
    internet.run(5000);
    expect(validAt(both)).toEqual([2120, 2080]);
  });

  it('meet again and again through 30 % loss', () => {
    const times = Array.from({ length: 40 }, (_, seed) => {
      const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT, loss: 0.3, seed: 1000 + 31 * seed });
      introduceBoth(both);
      both.internet.run(10_000);
      return Math.max(...validAt(both).map((t) => t ?? Number.POSITIVE_INFINITY));
    }).sort((a, b) => a - b);
    expect(times[20]).toBeLessThan(500);
    expect(times.at(-1)).toBeLessThan(4000);
  });
});

describe('peer-reflexive candidates', () => {
  const dependent: Nat = { ...LEFT_NAT, mapping: 2 };

  it('join a dependent mapping with address-dependent filtering, and are learnt on both sides', () => {
    const both = meeting({ leftNat: dependent, rightNat: { ...RIGHT_NAT, filtering: 1 } });
    introduceBoth(both);
    both.internet.run(1000);
    expect(validAt(both)).toEqual([80, 120]);
    const ofRight = eventsOf(both.right, 'candidate.peer-reflexive')[0]!.event;
    const ofLeft = eventsOf(both.left, 'candidate.peer-reflexive')[0]!.event;
    expect([ofLeft.side, ofRight.side]).toEqual(['local', 'remote']);
    expect(ofLeft.candidate.endpoint).toEqual(ofRight.candidate.endpoint);
    expect(eventsOf(both.left, 'pair.valid')[0]!.event.local.type).toBe('prflx');
    expect(eventsOf(both.right, 'pair.valid')[0]!.event.remote.type).toBe('prflx');
  });

  it('let a side without NAT answer one that it could never have reached', () => {
    const both = meeting({ rightNat: { ...RIGHT_NAT, mapping: 2 } });
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    introduce(internet, right, [candidate('host', right.at)], [candidate('host', left.at)]);
    internet.run(5000);
    expect(validAt(both)).toEqual([120, 80]);
    expect(left.agent.snapshot().pairs.map(({ state, remote }) => [state, remote.type])).toEqual(
      expect.arrayContaining([
        ['failed', 'host'],
        ['succeeded', 'prflx'],
      ]),
    );
  });

  it('take the type that signalling gives them later', () => {
    const both = meeting();
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    introduce(internet, right, [candidate('host', right.at)], []);
    internet.run(500);
    expect(right.agent.snapshot().remote.map(({ type }) => type)).toEqual(['prflx']);
    const { base: _, ...remote } = candidate('mapped', left.at);
    internet.feed(right, { type: 'remote-candidate', candidate: remote });
    expect(right.agent.snapshot().remote).toEqual([remote]);
    expect(right.agent.snapshot().pairs).toMatchObject([{ state: 'succeeded', remote: { type: 'mapped' } }]);
  });

  it('are checked as soon as there is a local candidate to check them from', () => {
    const both = meeting();
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    internet.run(500);
    expect(eventsOf(left, 'pair.valid').map(({ t }) => t)).toEqual([80]);
    expect(eventsOf(right, 'pair.valid')).toEqual([]);
    internet.feed(right, { type: 'local-candidate', candidate: candidate('host', right.at) });
    internet.run(1000);
    expect(eventsOf(right, 'pair.valid').map(({ t }) => t)).toEqual([580]);
  });
});

describe('trickle', () => {
  it('checks late candidates when they come', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: RIGHT_NAT });
    const { internet, left, right } = both;
    const [leftHost, leftReflexive] = candidatesOf(internet, left);
    const [rightHost, rightReflexive] = candidatesOf(internet, right);
    const known = [
      { host: left, own: leftHost!, theirs: rightHost! },
      { host: right, own: rightHost!, theirs: leftHost! },
    ];
    for (const { host, own, theirs } of known) {
      internet.feed(host, { type: 'local-candidate', candidate: own });
      internet.feed(host, { type: 'remote-candidate', candidate: theirs });
    }
    internet.at(300, () => internet.feed(left, { type: 'remote-candidate', candidate: rightReflexive! }));
    internet.at(300, () => internet.feed(right, { type: 'remote-candidate', candidate: leftReflexive! }));
    internet.run(2000);
    expect(validAt(both)).toEqual([380, 380]);
  });
});

describe('exhaustion', () => {
  it('comes when every pair has failed and both sides ended their candidates', () => {
    const both = meeting({ rightNat: RIGHT_NAT });
    const { internet, left } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', endpoint('10.9.9.9', 6000))]);
    internet.run(20_000);
    expect(eventsOf(left, 'checks.exhausted')).toEqual([
      { t: 3000, event: { type: 'checks.exhausted', reason: 'all-failed' } },
    ]);
    expect(left.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'timeout', requestsSent: 4 }]);
  });

  it('comes at the end of the checking time when nobody answers, and a reflexive address was tried throughout', () => {
    const both = meeting({ leftNat: LEFT_NAT, rightNat: { ...RIGHT_NAT, mapping: 2 } });
    introduceBoth(both);
    both.internet.run(30_000);
    for (const host of [both.left, both.right]) {
      expect(eventsOf(host, 'checks.exhausted')).toEqual([
        { t: 10_000, event: { type: 'checks.exhausted', reason: 'timeout' } },
      ]);
    }
    const { sent } = both.internet;
    const toReflexive = sent.filter(({ by, to }) => by === 'left' && to.startsWith('203.0.113.1'));
    expect(toReflexive).toHaveLength(16);
    expect(Math.max(...toReflexive.map(({ t }) => t))).toBeLessThan(12_000);
    expect(both.internet.sent.filter(({ t }) => t > 13_000)).toEqual([]);
  });

  it('is revived by a check that comes in after all', () => {
    const both = meeting();
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    internet.up = false;
    internet.run(15_000);
    expect(eventsOf(left, 'checks.exhausted')).toHaveLength(1);
    internet.up = true;
    introduce(internet, right, [candidate('host', right.at)], [candidate('host', left.at)]);
    internet.run(16_000);
    expect(validAt(both)).toEqual([15_120, 15_080]);
    expect(eventsOf(left, 'checks.exhausted')).toHaveLength(1);
  });

  it('comes at once when both sides ended without candidates', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [], []);
    expect(eventsOf(left, 'checks.exhausted')).toHaveLength(1);
  });
});
