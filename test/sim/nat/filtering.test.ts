import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { EXTERNAL, inside, natBench, remote } from './nat-bench.ts';

const INSIDE = formatEndpoint(inside());

describe('filtering (RFC 4787 section 5, REQ-8)', () => {
  test.each([
    ['endpoint-independent', [INSIDE, INSIDE, INSIDE]],
    ['address-dependent', [INSIDE, INSIDE, 'filtered']],
    ['address-and-port-dependent', [INSIDE, 'filtered', 'filtered']],
  ] as const)('%s', (filtering, expected) => {
    const bench = natBench({ filtering });
    const external = bench.out(inside(), remote(1, 1));
    const comers = [remote(1, 1), remote(1, 2), remote(2, 1)];
    expect(comers.map((from) => bench.in(from, external))).toEqual(expected);
  });

  test('nobody gets in where there is no mapping: the packet is for the router', () => {
    expect(natBench().in(remote(), `${EXTERNAL}:5000`)).toBe('local');
  });

  test('a packet to no external address of the NAT goes nowhere', () => {
    expect(natBench().in(remote(), '192.168.1.2:5000')).toBe('not to an external address');
  });

  test('who was let in opens nothing for others', () => {
    const bench = natBench({ filtering: 'address-dependent', pinning: true });
    const external = bench.out(inside(), remote(1, 1));
    expect(bench.in(remote(1, 2), external)).toBe(INSIDE);
    expect(bench.in(remote(2, 2), external)).toBe('filtered');
  });

  test.each([
    ['mapping', 'filtered'],
    ['internal-endpoint', INSIDE],
  ] as const)('filter kept for each %s: what was sent by another mapping', (filterScope, expected) => {
    const mapping = 'address-and-port-dependent';
    const bench = natBench({ mapping, filtering: 'address-and-port-dependent', filterScope });
    const first = bench.out(inside(), remote(1));
    const second = bench.out(inside(), remote(2));
    expect(second).not.toBe(first);
    expect(bench.in(remote(2), first)).toBe(expected);
    expect(bench.in(remote(3), first)).toBe('filtered');
  });

  test('a filter of an internal endpoint outlives one of its mappings, not all', () => {
    const spec = { mapping: 'address-and-port-dependent', filterScope: 'internal-endpoint' } as const;
    const bench = natBench({ ...spec, udp: { unanswered: 1000 } });
    const first = bench.out(inside(), remote(1));
    bench.now = 500;
    const second = bench.out(inside(), remote(2));
    bench.now = 1200;
    expect(bench.in(remote(1), second)).toBe('filtered');
    expect(bench.in(remote(2), second)).toBe(INSIDE);
    expect(bench.in(remote(2), first)).toBe('local');
  });
});

describe('an answer pins its flow', () => {
  const spec = { mapping: 'address-and-port-dependent', filtering: 'endpoint-independent' } as const;

  test('the answer leaves from where the packet came to', () => {
    const bench = natBench({ ...spec, pinning: true });
    const external = bench.out(inside(), remote(1));
    bench.in(remote(2), external);
    expect(bench.out(inside(), remote(2))).toBe(external);
    expect(bench.out(inside(), remote(3))).not.toBe(external);
  });

  test('without pinning it leaves by a mapping of its own', () => {
    const bench = natBench(spec);
    const external = bench.out(inside(), remote(1));
    bench.in(remote(2), external);
    expect(bench.out(inside(), remote(2))).not.toBe(external);
  });

  test('a flow that stands stays where it is', () => {
    const bench = natBench({ ...spec, pinning: true });
    const external = bench.out(inside(), remote(1));
    const own = bench.out(inside(), remote(2));
    expect(bench.in(remote(2), external)).toBe(INSIDE);
    expect(bench.out(inside(), remote(2))).toBe(own);
  });

  test('a clash with it is renumbered: the inside sees another source port, whose answers leave from where it came in', () => {
    const bench = natBench({ ...spec, pinning: true, clashes: 'renumbered' });
    const external = bench.out(inside(), remote(1));
    const own = bench.out(inside(), remote(2));
    const seenAs = bench.seen(remote(2), external);
    expect(seenAs).toMatchObject({ address: remote(2).address });
    expect(seenAs.port).not.toBe(remote(2).port);
    expect(bench.seen(remote(2), external)).toEqual(seenAs);
    expect(bench.out(inside(), seenAs)).toBe(external);
    expect(bench.sentTo(inside(), seenAs)).toEqual(remote(2));
    expect(bench.out(inside(), remote(2))).toBe(own);
    expect(bench.seen(remote(2), own)).toEqual(remote(2));
  });
});

describe('pinned flows', () => {
  const filtering = 'endpoint-independent';

  test('end as unanswered ones while the inside is silent', () => {
    const bench = natBench({ filtering, pinning: true, refresh: 'both', udp: { unanswered: 1000, answered: 5000 } });
    const external = bench.out(inside(), remote(1));
    bench.in(remote(1), external);
    bench.in(remote(2), external);
    const remotes = () => bench.nat.mappings(bench.now).flatMap((mapping) => mapping.remotes);
    bench.now = 999;
    expect(remotes()).toEqual([remote(1), remote(2)]);
    bench.now = 1000;
    expect(remotes()).toEqual([remote(1)]);
  });

  test('take room: strangers beyond it are not let in', () => {
    const bench = natBench({ filtering, pinning: true, capacity: 3 });
    const external = bench.out(inside(), remote(1));
    expect([2, 3, 4].map((host) => bench.in(remote(host), external))).toEqual([INSIDE, INSIDE, 'filtered']);
    expect(bench.in(remote(2), external)).toBe(INSIDE);
  });
});

describe('packets that are not let in', () => {
  const spec = { portAllocation: 'preserve', udp: { unanswered: 1000 } } as const;

  test('ignored: they change nothing', () => {
    const bench = natBench(spec);
    bench.in(remote(), `${EXTERNAL}:5000`);
    expect(bench.out(inside(), remote())).toBe(`${EXTERNAL}:5000`);
  });

  test('tracked: no mapping sends from there to them, until the entry expires', () => {
    const bench = natBench({ ...spec, unsolicited: 'tracked' });
    bench.in(remote(1), `${EXTERNAL}:5000`);
    expect(bench.out(inside(), remote(1))).not.toBe(`${EXTERNAL}:5000`);
    bench.now = 1000;
    expect(bench.out(inside(), remote(1))).toBe(`${EXTERNAL}:5000`);
  });

  test('tracked: the oldest entry gives way where there is no room, and all do in a reboot', () => {
    const bench = natBench({ ...spec, unsolicited: 'tracked', capacity: 2 });
    const comers = [1, 2, 3];
    const arrive = (): void => {
      for (const host of comers) bench.in(remote(host), `${EXTERNAL}:5000`);
    };
    const leave = (): boolean[] =>
      comers.map((host) => {
        const external = bench.out(inside(), remote(host));
        bench.nat.rebind(0);
        return external === `${EXTERNAL}:5000`;
      });
    arrive();
    expect(leave()).toEqual([true, false, false]);
    arrive();
    bench.nat.reboot(0);
    expect(leave()).toEqual([true, true, true]);
  });

  test('tracked: a mapping that stands goes round them', () => {
    const bench = natBench({ ...spec, unsolicited: 'tracked' });
    const external = bench.out(inside(), remote(1));
    expect(bench.in(remote(2), external)).toBe('filtered');
    const other = bench.out(inside(), remote(2));
    expect(other).not.toBe(external);
    expect(bench.in(remote(2), other)).toBe(INSIDE);
    expect(bench.in(remote(2), external)).toBe('filtered');
    expect(bench.out(inside(), remote(3))).toBe(external);
  });
});
