import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { TableWish } from '../../../src/protocol/gateway-table.ts';
import { createFirewall } from '../../../src/sim/firewall.ts';
import { createRouterTable } from '../../../src/sim/gateway/router-table.ts';
import { createNat } from '../../../src/sim/nat/nat.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

const POOL = ['203.0.113.1', '203.0.113.2'];

function router() {
  const nat = createNat({}, seededRandom(1));
  nat.readdress(POOL, 0);
  const firewall = createFirewall({ capacity: 2 });
  return { nat, firewall, table: createRouterTable({ nat, firewall }) };
}

const wish = (address: string, port: number, more: Partial<TableWish> = {}): TableWish => ({
  protocol: 'udp',
  internal: endpoint(address, port),
  lifetime: 1000,
  description: 'x',
  ...more,
});

describe('the table of a router', () => {
  it('tells which of several addresses a host’s mappings get', () => {
    const { table, nat } = router();
    const hosts = ['192.168.1.2', '192.168.1.3'];
    const given = hosts.map((host) => table.add(wish(host, 5000, { externalPort: 5000 }), 0));
    expect(given.map((entry) => typeof entry !== 'string' && entry.external.address)).toEqual(
      hosts.map((host) => table.externalAddress(host)),
    );
    expect(new Set(hosts.map((host) => table.externalAddress(host))).size).toBe(2);
    expect(table.externalAddress()).toBe(POOL[0]);
    const [first] = table.entries(0);
    table.remove(first!, 0);
    expect(table.entries(0)).toEqual([given[1]]);
    nat.readdress([], 0);
    expect([table.externalAddress(), table.externalAddress(hosts[0])]).toEqual([undefined, undefined]);
  });

  it('keeps a pinhole open while a mapping leads there', () => {
    const { table, firewall } = router();
    const { internal } = wish('192.168.1.2', 5000);
    const isOpen = (now = 0): boolean => firewall.pinholes.has('udp', internal, now);
    table.add(wish('192.168.1.2', 5000, { externalPort: 6000 }), 0);
    table.add(wish('192.168.1.2', 5000, { externalPort: 6001, lifetime: 500 }), 0);
    expect([isOpen(), isOpen(999), isOpen(1000)]).toEqual([true, true, false]);
    table.remove(table.entries(0)[0]!, 0);
    expect(isOpen()).toBe(true);
    table.remove(table.entries(0)[0]!, 0);
    expect(isOpen()).toBe(false);
  });

  it('has nothing to open where there is no firewall', () => {
    const table = createRouterTable({ nat: router().nat });
    expect(table.add(wish('2001:db8::2', 5000), 0)).toBe('unaddressed');
    expect(table.entries(0)).toEqual([]);
  });

  it('opens pinholes for what is not translated, up to the firewall’s capacity', () => {
    const { table } = router();
    const host = '2001:db8::2';
    const internal = endpoint(host, 5000);
    expect(table.externalAddress(host)).toBe(host);
    expect(table.add(wish(host, 5000, { externalPort: 5001 }), 0)).toBe('conflict');
    expect(table.add(wish(host, 5000), 0)).toEqual({
      protocol: 'udp',
      internal,
      external: internal,
      until: 1000,
      description: 'x',
    });
    table.add(wish(host, 5001), 0);
    expect(table.add(wish(host, 5002), 999)).toBe('exhausted');
    expect(table.add(wish(host, 5000), 999)).toMatchObject({ until: 1999 });
    expect(table.add(wish(host, 5002), 1000)).toMatchObject({ internal: endpoint(host, 5002) });
    expect(table.entries(1000)).toHaveLength(2);
  });
});
