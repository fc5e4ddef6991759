import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { MAX_UNPROVEN } from '../../../src/protocol/ice/check-sender.ts';
import type { PairSnapshot } from '../../../src/protocol/ice/index.ts';
import { candidate } from './internet.ts';
import { checkFromRight } from './messages.ts';
import { eventsOf, introduce, introduceBoth, meeting } from './pair-of-agents.ts';

const host = (last: number) => candidate('host', endpoint(`10.9.0.${last}`, 6000));

describe('pacing', () => {
  it('sends one new check every 50 ms by default, best pair first', () => {
    const { internet, left } = meeting({ leftMore: { ta: undefined, burst: undefined, rto: undefined } });
    introduce(
      internet,
      left,
      [candidate('host', left.at)],
      [1, 2, 3].map((n) => ({ ...host(n), priority: n })),
    );
    internet.run(499);
    expect(internet.sent.map(({ t, to }) => [t, to])).toEqual([
      [0, '10.9.0.3:6000'],
      [50, '10.9.0.2:6000'],
      [100, '10.9.0.1:6000'],
    ]);
  });

  it('lets `burst` checks go at once, then keeps Ta, and earns the burst again in a pause', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], [1, 2, 3, 4, 5, 6].map(host));
    internet.at(150, () => {
      for (const n of [7, 8, 9, 10, 11]) internet.feed(left, { type: 'remote-candidate', candidate: host(n) });
    });
    internet.run(199);
    expect(internet.sent.map(({ t }) => t)).toEqual([0, 0, 0, 0, 5, 10, 150, 150, 150, 150, 155]);
  });

  it('sends a check at 0, 1, 3 and 7 x RTO', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], [host(1)]);
    internet.run(60_000);
    expect(internet.sent.map(({ t }) => t)).toEqual([0, 200, 600, 1400]);
  });

  it('stretches the RTO with the number of pairs (RFC 8445 section 14.3)', () => {
    const { internet, left } = meeting({ leftMore: { ta: 50, burst: 1, rto: 100 } });
    introduce(internet, left, [candidate('host', left.at)], [1, 2, 3, 4].map(host));
    internet.run(60_000);
    const toBest = internet.sent.filter(({ to }) => to === internet.sent[0]!.to);
    expect(toBest.map(({ t }) => t)).toEqual([0, 200, 600, 1400]);
  });

  it('sends triggered checks before ordinary ones', () => {
    const both = meeting({ leftMore: { burst: 1, ta: 50 } });
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [1, 2, 3].map(host));
    introduce(internet, right, [candidate('host', right.at)], [candidate('host', left.at)]);
    internet.run(199);
    const requests = internet.sent.filter(({ by, request }) => by === 'left' && request);
    expect(requests.map(({ to }) => to)).toEqual([
      requests[0]!.to,
      '203.0.113.2:6000',
      requests[2]!.to,
      requests[3]!.to,
    ]);
  });
});

describe('a triggered check', () => {
  it('replaces the retransmissions of the check before it, and ends its own with the first answer', () => {
    const both = meeting({ delay: 150 });
    introduceBoth(both);
    both.internet.run(5000);
    const requests = both.internet.sent.filter(({ by, request }) => by === 'left' && request);
    expect(requests.map(({ t }) => t)).toEqual([0, 150]);
    expect(eventsOf(both.left, 'pair.valid').map(({ t }) => t)).toEqual([300]);
  });
});

describe('pairs', () => {
  it('are one a socket and remote address, however many addresses the socket has', () => {
    const { internet, left } = meeting();
    const own = ['192.168.1.2', '10.8.0.2', '172.17.0.1'].map((ip) => candidate('host', endpoint(ip, 5000)));
    const reflexive = candidate('srflx', endpoint('198.51.100.1', 40_001), own[0]!.base);
    introduce(internet, left, [...own, reflexive], [host(1)]);
    expect(left.agent.snapshot().pairs.map(({ id }) => id)).toEqual(['udp4:5000>10.9.0.1:6000']);
    expect(internet.sent).toHaveLength(1);
  });

  it('never mix families, nor link-local IPv6 with anything else', () => {
    const { internet, left } = meeting();
    const own = ['192.168.1.2', '2001:db8::2', 'fe80::2%eth0'].map((ip) => candidate('host', endpoint(ip, 5000)));
    const theirs = ['10.9.0.1', '2001:db8:1::1', 'fe80::1%eth0'].map((ip) => candidate('host', endpoint(ip, 6000)));
    introduce(internet, left, own, theirs);
    const pairs = left.agent
      .snapshot()
      .pairs.map(({ local, remote }) => [local, remote].map((c) => c.endpoint.address));
    expect(pairs).toHaveLength(3);
    expect(pairs).toEqual(expect.arrayContaining(own.map((c, i) => [c, theirs[i]!].map((x) => x.endpoint.address))));
  });

  it('of one foundation wait for the first of them, and for no other', () => {
    const { internet, left } = meeting();
    const alike = [1, 2, 3].map((n) => ({ ...host(n), foundation: 'same', priority: 10 - n }));
    introduce(internet, left, [candidate('host', left.at)], [...alike, { ...host(4), priority: 1 }]);
    internet.run(2999);
    expect([...new Set(internet.sent.map(({ to }) => to))]).toEqual(['10.9.0.1:6000', '10.9.0.4:6000']);
    expect(left.agent.snapshot().pairs.map(({ state }) => state)).toEqual([
      'in-progress',
      'frozen',
      'frozen',
      'in-progress',
    ]);
    internet.run(3000);
    expect(left.agent.snapshot().pairs.map(({ state }) => state)).toEqual([
      'failed',
      'in-progress',
      'frozen',
      'failed',
    ]);
  });

  it('of a foundation that has succeeded are checked at once', () => {
    const { internet, left, right } = meeting();
    const alike = [candidate('host', right.at), host(1), host(2)].map((c) => ({ ...c, foundation: 'same' }));
    introduce(internet, right, [candidate('host', right.at)], []);
    introduce(internet, left, [candidate('host', left.at)], alike);
    internet.run(81);
    expect(
      left.agent
        .snapshot()
        .pairs.map(({ state }) => state)
        .sort(),
    ).toEqual(['in-progress', 'in-progress', 'succeeded']);
  });
});

describe('bounds', () => {
  it('at most 32 signalled candidates are taken, the rest counted', () => {
    const { internet, left } = meeting();
    introduce(
      internet,
      left,
      [candidate('host', left.at)],
      Array.from({ length: 40 }, (_, n) => host(n + 1)),
    );
    const { pairs, remote, dropped } = left.agent.snapshot();
    expect([pairs.length, remote.length, dropped['too-many-candidates']]).toEqual([32, 32, 8]);
  });

  it('at most 100 pairs are kept, those of the highest priority', () => {
    const { internet, left } = meeting();
    const theirs = Array.from({ length: 32 }, (_, n) => ({ ...host(n + 1), priority: 1000 + n, foundation: `${n}` }));
    for (const port of [5000, 5001, 5002, 5003]) {
      const own = { ...candidate('host', endpoint('192.168.1.2', port)), priority: port };
      left.agent.handle({ type: 'local-candidate', candidate: own }, 0);
    }
    for (const remote of theirs) left.agent.handle({ type: 'remote-candidate', candidate: remote }, 0);
    const { pairs } = left.agent.snapshot();
    expect(pairs).toHaveLength(100);
    expect(Math.min(...pairs.map(({ remote }) => remote.priority))).toBe(1000 + 32 - 25);
    internet.feed(left, { type: 'end-of-candidates', side: 'remote' });
    internet.run(10_000);
    expect(new Set(internet.sent.map(({ to }) => to)).size).toBe(25);
  });

  it('addresses that no stranger may aim us at are dropped', () => {
    const { internet, left } = meeting();
    const hostile = [
      ['127.0.0.1', 80],
      ['::1', 80],
      ['224.0.0.251', 5353],
      ['ff02::fb', 5353],
      ['255.255.255.255', 9],
      ['0.0.0.0', 9],
      ['::', 9],
      ['fe80::1', 9],
      ['10.9.0.1', 0],
    ] as const;
    introduce(
      internet,
      left,
      [candidate('host', left.at), candidate('host', endpoint('2001:db8::2', 5000))],
      hostile.map(([ip, port]) => candidate('host', endpoint(ip, port))),
    );
    internet.run(20_000);
    expect(internet.sent).toEqual([]);
    expect(left.agent.snapshot()).toMatchObject({ pairs: [], remote: [] });
    // A link-local address waits for a zone to be tried through.
    expect(left.agent.snapshot().dropped['forbidden-address']).toBe(hostile.length - 1);
  });

  it('loopback takes part where it is allowed', () => {
    const { internet, left } = meeting({ leftMore: { allowLoopback: true } });
    const own = candidate('host', endpoint('127.0.0.1', 5000));
    introduce(internet, left, [own], [candidate('host', endpoint('127.0.0.1', 6000))]);
    expect(internet.sent.map(({ to }) => to)).toEqual(['127.0.0.1:6000']);
  });

  it('candidates that are no candidates are dropped', () => {
    const { internet, left } = meeting();
    const [good] = [host(1)];
    const bad = [
      { ...good!, priority: 0 },
      { ...good!, priority: 2 ** 31 },
      { ...good!, priority: 1.5 },
      { ...good!, endpoint: { address: 'victim.example', port: 80, family: 4 } as const },
      { ...good!, endpoint: { address: '10.9.0.1', port: 65_536, family: 4 } as const },
    ];
    introduce(internet, left, [candidate('host', left.at)], bad);
    expect(left.agent.snapshot().dropped['malformed-candidate']).toBe(bad.length);
    expect(internet.sent).toEqual([]);
  });

  it('one address that never answers gets 32 requests, however often it makes us try', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], []);
    for (let t = 0; t < 20_000; t += 100) {
      internet.at(t, () => internet.inject(left, checkFromRight(), endpoint('203.0.113.77', 7)));
    }
    internet.run(40_000);
    expect(internet.sent.filter(({ request }) => request)).toHaveLength(MAX_UNPROVEN.address);
    expect(internet.sent.filter(({ request }) => !request)).toHaveLength(200);
    expect(left.agent.snapshot().pairs).toMatchObject([{ failure: 'out-of-packets', requestsReceived: 200 }]);
  });

  it('what an address has answered does not count', () => {
    const both = meeting();
    introduceBoth(both);
    both.internet.run(1000);
    const [{ id: pairId }] = both.left.agent.snapshot().pairs as [PairSnapshot];
    for (let n = 0; n < 2 * MAX_UNPROVEN.address; n++) {
      both.internet.feed(both.left, { type: 'nominate', pairId });
      both.internet.run(both.internet.now + 100);
    }
    expect(both.left.agent.snapshot().pairs).toMatchObject([{ state: 'succeeded' }]);
    expect(both.left.agent.snapshot().pairs[0]!.requestsSent).toBeGreaterThan(2 * MAX_UNPROVEN.address);
  });

  it('all unproven addresses together get 640 requests', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], []);
    for (let t = 0; t < 20_000; t += 5) {
      const from = endpoint('203.0.113.77', 7000 + ((t / 5) % 40));
      internet.at(t, () => internet.inject(left, checkFromRight(), from));
    }
    internet.run(40_000);
    expect(left.agent.snapshot().remote).toHaveLength(32);
    expect(internet.sent.filter(({ request }) => request)).toHaveLength(MAX_UNPROVEN.total);
  });
});
