import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { at, EXTERNAL, inside, natBench, portOf, remote } from './nat-bench.ts';

describe('mapping (RFC 4787 section 4.1, REQ-1)', () => {
  const destinations = [remote(1, 1), remote(1, 2), remote(2, 1), remote(1, 1)];

  test.each([
    ['endpoint-independent', [0, 0, 0, 0]],
    ['address-dependent', [0, 0, 1, 0]],
    ['address-and-port-dependent', [0, 1, 2, 0]],
  ] as const)('%s', (mapping, expected) => {
    const bench = natBench({ mapping });
    const seen = destinations.map((to) => bench.out(inside(), to));
    expect(seen.map((external) => [...new Set(seen)].indexOf(external))).toEqual(expected);
  });

  test('gives different internal endpoints different external ones', () => {
    const bench = natBench();
    const seen = [inside(2, 5000), inside(2, 5001), inside(3, 5000)].map((from) => bench.out(from, remote()));
    expect(new Set(seen).size).toBe(3);
  });

  test('keeps UDP and TCP apart', () => {
    const bench = natBench({ portAllocation: 'preserve' });
    expect(bench.out(inside(), remote())).toBe(`${EXTERNAL}:5000`);
    expect(bench.tcpOut(inside(), remote(), { syn: true })).toBe(`${EXTERNAL}:5000`);
    expect(bench.nat.mappings(0).map(({ protocol }) => protocol)).toEqual(['udp', 'tcp']);
  });

  test('tells what stands', () => {
    const bench = natBench({ portAllocation: 'preserve' });
    bench.out(inside(), remote(1));
    bench.out(inside(), remote(2));
    expect(bench.nat.mappings(0)).toEqual([
      {
        protocol: 'udp',
        internal: inside(),
        external: at(`${EXTERNAL}:5000`),
        remotes: [remote(1), remote(2)],
        isExplicit: false,
      },
    ]);
  });
});

describe('pooling (RFC 4787 REQ-2)', () => {
  const addresses = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
  const used = (pooling: 'paired' | 'arbitrary', host: number): Set<string> => {
    const bench = natBench({ pooling }, { addresses });
    return new Set(Array.from({ length: 30 }, (_, i) => at(bench.out(inside(host, 6000 + i), remote())).address));
  };

  test('paired: a host keeps one external address, and neighbours have others', () => {
    const each = [2, 3, 4].map((host) => used('paired', host));
    expect(each.map(({ size }) => size)).toEqual([1, 1, 1]);
    expect(new Set(each.flatMap((one) => [...one]))).toEqual(new Set(addresses));
  });

  test('arbitrary: a host gets all of them', () => {
    expect(used('arbitrary', 2)).toEqual(new Set(addresses));
  });

  test('arbitrary goes on to the next address when one is used up, paired does not', () => {
    const spec = { ports: { first: 2000, last: 2000 } };
    const open = (pooling: 'paired' | 'arbitrary'): string[] => {
      const bench = natBench({ ...spec, pooling }, { addresses });
      return [1, 2, 3, 4].map((i) => bench.out(inside(2, i), remote()));
    };
    const [first, ...others] = open('paired');
    expect(addresses.map((address) => `${address}:2000`)).toContain(first);
    expect(others).toEqual(Array(3).fill('no external port left'));
    const arbitrary = open('arbitrary');
    expect(new Set(arbitrary.slice(0, 3))).toEqual(new Set(addresses.map((address) => `${address}:2000`)));
    expect(arbitrary[3]).toBe('no external port left');
  });
});

describe('port assignment (RFC 4787 section 4.2)', () => {
  test('preserve keeps the internal port, and takes a random one when it is taken (REQ-3)', () => {
    const bench = natBench({ portAllocation: 'preserve' });
    expect(bench.out(inside(2), remote())).toBe(`${EXTERNAL}:5000`);
    const second = portOf(bench.out(inside(3), remote()));
    expect(second).not.toBe(5000);
    expect(second).toBeGreaterThanOrEqual(1024);
  });

  test('preserve does not reach beyond the ports of the NAT', () => {
    const bench = natBench({ portAllocation: 'preserve', ports: { first: 40_000, last: 40_010 } });
    expect(portOf(bench.out(inside(2, 5000), remote()))).toBeGreaterThanOrEqual(40_000);
    expect(portOf(bench.out(inside(2, 40_003), remote()))).toBe(40_003);
  });

  test('parity keeps odd odd and even even (REQ-4), until there are none', () => {
    const bench = natBench({ portAllocation: 'parity', ports: { first: 3001, last: 3004 } });
    const ports = [1, 3, 5].map((port) => portOf(bench.out(inside(2, port), remote())));
    expect(new Set(ports.slice(0, 2))).toEqual(new Set([3001, 3003]));
    expect([3002, 3004]).toContain(ports[2]);
  });

  test('random ports are spread over all there are', () => {
    const bench = natBench({ mapping: 'address-and-port-dependent' });
    const ports = Array.from({ length: 1000 }, (_, i) => portOf(bench.out(inside(), remote(1, 1 + i))));
    expect(new Set(ports).size).toBe(1000);
    expect(Math.min(...ports)).toBeLessThan(2000);
    expect(Math.max(...ports)).toBeGreaterThan(64_000);
    const mean = ports.reduce((sum, port) => sum + port, 0) / ports.length;
    expect(Math.abs(mean - (1024 + 65_535) / 2)).toBeLessThan(2500);
  });

  test.each([1, 2, 5])('sequential by %i: the next is the last plus the delta, round and round', (sequential) => {
    const spec = { mapping: 'address-and-port-dependent', portAllocation: { sequential } } as const;
    const bench = natBench({ ...spec, ports: { first: 2000, last: 2012 } });
    const ports = Array.from({ length: 13 }, (_, i) => portOf(bench.out(inside(), remote(1, 1 + i))));
    expect(ports.slice(1).map((port, i) => (port - ports[i]! + 13) % 13)).toEqual(Array(12).fill(sequential));
  });

  test('sequential by 2 uses every second port', () => {
    const bench = natBench({ portAllocation: { sequential: 2 }, ports: { first: 2000, last: 2007 } });
    const seen = [1, 2, 3, 4, 5].map((port) => bench.out(inside(2, port), remote()));
    expect(new Set(seen.slice(0, 4).map((external) => portOf(external) % 2)).size).toBe(1);
    expect(seen[4]).toBe('no external port left');
  });

  test('sequential passes over ports that are taken', () => {
    const bench = natBench({ portAllocation: { sequential: 1 }, ports: { first: 2000, last: 2009 } });
    const first = portOf(bench.out(inside(2, 1), remote()));
    const next = 2000 + ((first - 2000 + 1) % 10);
    bench.nat.explicit.add({ protocol: 'udp', internal: inside(9), externalPort: next, lifetime: 1000 }, 0);
    expect(portOf(bench.out(inside(2, 2), remote()))).toBe(2000 + ((first - 2000 + 2) % 10));
  });

  test('no two mappings have one external endpoint, and when all are given out there are no more (REQ-3)', () => {
    const bench = natBench({ ports: { first: 3000, last: 3009 } });
    const seen = Array.from({ length: 11 }, (_, i) => bench.out(inside(2, 6000 + i), remote()));
    expect(new Set(seen.slice(0, 10)).size).toBe(10);
    expect(seen[10]).toBe('no external port left');
    expect(bench.out(inside(2, 6000), remote(2))).toBe(seen[0]);
  });

  test('overlapping: one port for two hosts as long as they send to different ends (RFC 7857 section 3)', () => {
    const bench = natBench({ portAllocation: 'preserve', portReuse: 'overlapping' });
    expect(bench.out(inside(2), remote(1))).toBe(`${EXTERNAL}:5000`);
    expect(bench.out(inside(3), remote(2))).toBe(`${EXTERNAL}:5000`);
    expect(bench.in(remote(1), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(2)));
    expect(bench.in(remote(2), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(3)));
    const other = bench.out(inside(3), remote(1));
    expect(other).not.toBe(`${EXTERNAL}:5000`);
    expect(bench.in(remote(1), other)).toBe(formatEndpoint(inside(3)));
    expect(bench.out(inside(3), remote(3))).toBe(`${EXTERNAL}:5000`);
  });

  test('overlapping takes ports of others only when its own search finds none', () => {
    const bench = natBench({ portReuse: 'overlapping', ports: { first: 3000, last: 3001 } });
    const seen = [1, 2, 3].map((host) => bench.out(inside(1 + host), remote(host)));
    expect(new Set(seen).size).toBe(2);
    expect(bench.out(inside(9), remote(1))).not.toBe(seen[0]);
    expect(bench.out(inside(10), remote(1))).toBe('no external port left');
  });

  test('overloading: who sent last gets what comes in', () => {
    const bench = natBench({ portAllocation: 'preserve', portReuse: 'overloading' });
    for (const host of [2, 3]) expect(bench.out(inside(host), remote())).toBe(`${EXTERNAL}:5000`);
    expect(bench.in(remote(), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(3)));
    bench.out(inside(2), remote());
    expect(bench.in(remote(), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(2)));
  });

  test('overloading: strangers come to the latest, and what one host loses does not touch the other', () => {
    const bench = natBench({
      portAllocation: 'preserve',
      portReuse: 'overloading',
      filtering: 'endpoint-independent',
      udp: { unanswered: 10_000, answered: 10_000 },
    });
    bench.out(inside(2), remote());
    bench.now = 5000;
    bench.out(inside(3), remote());
    expect(bench.in(remote(9), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(3)));
    bench.now = 12_000;
    bench.out(inside(4, 6000), remote());
    expect(bench.nat.mappings(12_000)).toHaveLength(2);
    expect(bench.in(remote(), `${EXTERNAL}:5000`)).toBe(formatEndpoint(inside(3)));
  });

  test('flows that have expired on a mapping that stands make room', () => {
    const bench = natBench({ capacity: 2, udp: { unanswered: 1000 } });
    bench.nat.explicit.add({ protocol: 'udp', internal: inside(), externalPort: 80, lifetime: 60_000 }, 0);
    for (const host of [1, 2]) bench.out(inside(), remote(host));
    expect(bench.out(inside(), remote(3))).toBe('NAT table full');
    bench.now = 1000;
    expect(bench.out(inside(), remote(3))).toBe(`${EXTERNAL}:80`);
  });

  test('a full table refuses what is new and goes on with what stands', () => {
    const bench = natBench({ capacity: 2, udp: { unanswered: 1000 } });
    const [first] = [1, 2].map((host) => bench.out(inside(), remote(host)));
    expect(bench.out(inside(), remote(3))).toBe('NAT table full');
    expect(bench.out(inside(), remote(1))).toBe(first);
    bench.now = 1000;
    expect(bench.out(inside(), remote(3))).toMatch(/^198/);
  });
});
