import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { at, EXTERNAL, inside, natBench, portOf, remote } from './nat-bench.ts';

const INSIDE = formatEndpoint(inside());
const udp = { protocol: 'udp', internal: inside(), externalPort: 8080, lifetime: 60_000 } as const;
const external = at(`${EXTERNAL}:8080`);

describe('explicit mappings', () => {
  test('let everybody in, and carry what the internal endpoint sends', () => {
    const bench = natBench({ mapping: 'address-and-port-dependent' });
    expect(bench.nat.explicit.add({ ...udp, description: 'game' }, 0)).toEqual({
      protocol: 'udp',
      internal: inside(),
      external: at(`${EXTERNAL}:8080`),
      until: 60_000,
      description: 'game',
    });
    expect(bench.in(remote(1), `${EXTERNAL}:8080`)).toBe(INSIDE);
    expect([remote(1), remote(2)].map((to) => bench.out(inside(), to))).toEqual(Array(2).fill(`${EXTERNAL}:8080`));
    expect(bench.nat.mappings(0)).toMatchObject([{ isExplicit: true }]);
  });

  test('end with their lifetime, and can be renewed before', () => {
    const bench = natBench();
    bench.nat.explicit.add(udp, 0);
    bench.nat.explicit.add(udp, 50_000);
    bench.now = 109_999;
    expect(bench.in(remote(), `${EXTERNAL}:8080`)).toBe(INSIDE);
    expect(bench.nat.explicit.list(109_999)).toHaveLength(1);
    bench.now = 110_000;
    expect(bench.in(remote(), `${EXTERNAL}:8080`)).toBe('local');
    expect(bench.nat.explicit.list(110_000)).toEqual([]);
    bench.nat.explicit.add({ ...udp, lifetime: Number.POSITIVE_INFINITY }, 110_000);
    expect(bench.nat.explicit.list(1e12)).toMatchObject([{ until: Number.POSITIVE_INFINITY }]);
  });

  test('flows go on when the lease is over, as on any mapping', () => {
    const bench = natBench({ portAllocation: 'random' });
    bench.nat.explicit.add(udp, 0);
    bench.now = 59_000;
    bench.out(inside(), remote(1));
    bench.now = 61_000;
    expect(bench.in(remote(1), `${EXTERNAL}:8080`)).toBe(INSIDE);
    expect(bench.in(remote(2), `${EXTERNAL}:8080`)).toBe('filtered');
    expect(bench.out(inside(), remote(2))).not.toBe(`${EXTERNAL}:8080`);
  });

  test('a port of somebody else is a conflict, one of the same endpoint is not', () => {
    const bench = natBench({ portAllocation: 'preserve' });
    bench.nat.explicit.add(udp, 0);
    expect(bench.nat.explicit.add({ ...udp, internal: inside(3) }, 0)).toBe('conflict');
    expect(bench.nat.explicit.add({ ...udp, protocol: 'tcp', internal: inside(3) }, 0)).toMatchObject({
      protocol: 'tcp',
    });
    bench.out(inside(4, 7000), remote());
    expect(bench.nat.explicit.add({ ...udp, externalPort: 7000 }, 0)).toBe('conflict');
    expect(bench.nat.explicit.add({ ...udp, internal: inside(4, 7000), externalPort: 7000 }, 0)).toMatchObject({
      external: at(`${EXTERNAL}:7000`),
    });
    expect(bench.in(remote(9), `${EXTERNAL}:7000`)).toBe(formatEndpoint(inside(4, 7000)));
  });

  test('of several for one internal endpoint, the first carries what it sends, and another once it is renewed after', () => {
    const bench = natBench();
    const add = (externalPort: number) => bench.nat.explicit.add({ ...udp, externalPort }, 0);
    for (const port of [8080, 8081]) add(port);
    expect([8080, 8081].map((port) => bench.in(remote(), `${EXTERNAL}:${port}`))).toEqual([INSIDE, INSIDE]);
    expect(bench.out(inside(), remote(3))).toBe(`${EXTERNAL}:8080`);
    bench.nat.explicit.remove({ protocol: 'udp', external }, 0);
    add(8081);
    expect(bench.out(inside(), remote(4))).toBe(`${EXTERNAL}:8081`);
  });

  test('without a wish for a port, the NAT chooses', () => {
    const bench = natBench({ ports: { first: 3000, last: 3001 } });
    const add = (host: number) =>
      bench.nat.explicit.add({ protocol: 'udp', internal: inside(host), lifetime: 1000 }, 0);
    const ports = [2, 3].map((host) => (add(host) as { external: { port: number } }).external.port);
    expect(new Set(ports)).toEqual(new Set([3000, 3001]));
    expect(add(4)).toBe('exhausted');
    expect(bench.out(inside(5), remote())).toBe('no external port left');
  });

  test('of several addresses, a host has the one that it is paired with', () => {
    const addresses = ['198.51.100.1', '198.51.100.2'];
    for (const host of [2, 3]) {
      const bench = natBench({}, { addresses });
      const paired = at(bench.out(inside(host, 6000), remote())).address;
      const added = bench.nat.explicit.add({ ...udp, internal: inside(host) }, 0);
      expect(added).toMatchObject({ external: { address: paired, port: 8080 } });
    }
  });

  test('without an external address there is none', () => {
    const { nat } = natBench({}, { addresses: [] });
    expect(nat.explicit.add(udp, 0)).toBe('unaddressed');
    expect(nat.explicit.add({ protocol: 'udp', internal: inside(), lifetime: 1000 }, 0)).toBe('unaddressed');
  });

  test('flows go on when one is removed, and nobody else gets in', () => {
    const bench = natBench({ portAllocation: 'random' });
    bench.nat.explicit.add(udp, 0);
    bench.out(inside(), remote(1));
    expect(bench.nat.explicit.remove({ protocol: 'tcp', external }, 0)).toBe(false);
    expect(bench.nat.explicit.remove({ protocol: 'udp', external }, 0)).toBe(true);
    expect(bench.nat.explicit.remove({ protocol: 'udp', external }, 0)).toBe(false);
    expect(bench.in(remote(1), `${EXTERNAL}:8080`)).toBe(INSIDE);
    expect(bench.out(inside(), remote(1))).toBe(`${EXTERNAL}:8080`);
    expect(bench.in(remote(2), `${EXTERNAL}:8080`)).toBe('filtered');
    expect(bench.out(inside(), remote(2))).not.toBe(`${EXTERNAL}:8080`);
    bench.now = 300_000;
    expect(bench.in(remote(1), `${EXTERNAL}:8080`)).toBe('local');
    expect(bench.nat.mappings(300_000)).toEqual([]);
  });

  test('one without flows is gone as soon as it is removed', () => {
    const bench = natBench();
    bench.nat.explicit.add(udp, 0);
    bench.nat.explicit.remove({ protocol: 'udp', external }, 0);
    expect(bench.in(remote(), `${EXTERNAL}:8080`)).toBe('local');
    expect(bench.nat.mappings(0)).toEqual([]);
  });

  test('take room in the table like all others', () => {
    const { nat } = natBench({ capacity: 1 });
    nat.explicit.add(udp, 0);
    expect(nat.explicit.add({ ...udp, internal: inside(3), externalPort: 8081 }, 0)).toBe('exhausted');
  });
});

describe('what happens to a NAT', () => {
  test('reboot: all is forgotten, explicit mappings too, and ports begin anew', () => {
    const bench = natBench({ tcp: { unsolicitedSyn: 'wait' } });
    bench.nat.explicit.add(udp, 0);
    const external = bench.out(inside(3), remote());
    bench.tcpIn(remote(), `${EXTERNAL}:99`, { syn: true });
    bench.nat.reboot(0);
    expect(bench.nat.mappings(0)).toEqual([]);
    expect(bench.nat.wakeAt).toBeUndefined();
    expect(bench.in(remote(), external)).toBe('local');
    expect(bench.out(inside(3), remote())).not.toBe(external);
  });

  test('rebind: dynamic mappings are forgotten, explicit ones stay', () => {
    const bench = natBench();
    bench.nat.explicit.add(udp, 0);
    bench.out(inside(), remote());
    const external = bench.out(inside(3), remote());
    bench.nat.rebind(0);
    expect(bench.in(remote(), external)).toBe('local');
    expect(portOf(bench.out(inside(3), remote()))).not.toBe(portOf(external));
    expect(bench.in(remote(2), `${EXTERNAL}:8080`)).toBe(INSIDE);
  });

  test('another address: dynamic mappings are gone, explicit ones have the new address', () => {
    const bench = natBench();
    bench.nat.explicit.add({ ...udp, description: 'game' }, 0);
    const external = bench.out(inside(3), remote());
    bench.nat.readdress(['198.51.100.9', '2001:db8::9'], 1000);
    expect(bench.nat.addresses).toEqual(['198.51.100.9']);
    expect(bench.in(remote(), external)).toBe('not to an external address');
    expect(bench.out(inside(3), remote())).toMatch(/^198\.51\.100\.9:/);
    expect(bench.nat.explicit.list(1000)).toEqual([
      { protocol: 'udp', internal: inside(), external: at('198.51.100.9:8080'), until: 60_000, description: 'game' },
    ]);
    expect(bench.in(remote(5), '198.51.100.9:8080')).toBe(INSIDE);
  });

  test('one address more changes nothing', () => {
    const bench = natBench();
    const external = bench.out(inside(), remote());
    bench.nat.readdress([EXTERNAL, '198.51.100.2'], 0);
    expect(bench.out(inside(), remote())).toBe(external);
  });

  test('without an address nothing leaves', () => {
    const bench = natBench();
    bench.nat.readdress([], 0);
    expect(bench.out(inside(), remote())).toBe('no external address');
  });
});
