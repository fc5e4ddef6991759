import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/core/deferred.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { Mapping } from '../../src/core/port-mapper.ts';
import { fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { leaseWorld } from './lease-world.ts';

const silent = (): Promise<never> => new Promise(() => {});

/** What a process has left that mapped UDP port 5000 by PCP. */
function leftover(mapping: Partial<Mapping> = {}): Mapping {
  return {
    via: 'pcp',
    protocol: 'udp',
    internal: endpoint('192.168.1.2', 5000),
    external: endpoint('203.0.113.9', 7000),
    gateway: '192.168.1.1',
    lifetime: 3_600,
    goodUntil: 1_000_000,
    renewAfter: 500_000,
    reach: 'internet',
    handle: { nonce: 'left' },
    ...mapping,
  };
}

describe('a leftover of the same port', () => {
  it('is renewed and gone on with', async () => {
    const gateway = fakeMapper();
    const { keep, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover()];
    const lease = await keep();
    expect(gateway.calls).toEqual(['renew udp 5000']);
    expect(lease.current).toMatchObject({
      state: 'mapped',
      mapping: { external: { port: 7000 }, goodUntil: 3_600_000 },
      attempts: [{ via: 'pcp', reason: 'left by a process that ended: 203.0.113.9:7000 leads to 192.168.1.2:5000' }],
    });
    expect([...journal.noted.values()]).toMatchObject([{ goodUntil: 3_600_000 }]);
    await lease.close();
    expect([gateway.calls.at(-1), journal.noted.size]).toEqual(['release udp 5000', 0]);
  });

  it.each([{ externalPort: 5000 }, { onConflict: 'fail' }] as const)(
    'is released before the port is mapped where %j does not suit it',
    async (wish) => {
      const [gateway, answer] = [fakeMapper(), new Deferred()];
      gateway.answer = ({ call }) => (call === 'release' ? answer.promise : undefined);
      const { keep, pass, journal } = leaseWorld(gateway);
      journal.leftovers = [leftover()];
      const lease = await keep(wish);
      expect(gateway.calls).toEqual(['release udp 5000']);
      answer.resolve();
      await pass(0);
      expect(gateway.calls).toEqual(['release udp 5000', 'map udp 5000']);
      expect((await lease.ready).external.port).toBe(5000);
      expect(journal.noted.size).toBe(1);
    },
  );

  it('is gone on with where its external port is the one asked for', async () => {
    const gateway = fakeMapper();
    const { keep, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover()];
    await keep({ externalPort: 7000, onConflict: 'fail' });
    expect(gateway.calls).toEqual(['renew udp 5000']);
  });

  it('that cannot be renewed is mapped anew, in its place', async () => {
    const gateway = fakeMapper();
    gateway.answer = ({ call }) => {
      if (call === 'renew') throw new TraversalError('ERR_MAPPING_REFUSED', 'no');
    };
    const { keep, journal, logged } = leaseWorld(gateway);
    journal.leftovers = [leftover()];
    const lease = await keep();
    expect(gateway.calls).toEqual(['renew udp 5000', 'map udp 5000']);
    expect(logged).toContain('lease.not-taken-over');
    expect([...journal.noted.values()]).toEqual([await lease.ready]);
  });

  it('at a gateway that is silent does not keep another from mapping, and stays noted', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    pcp.answer = silent;
    const { keep, pass, journal } = leaseWorld(pcp, upnp);
    journal.leftovers = [leftover({ gateway: '192.168.1.3' })];
    const lease = await keep();
    await pass(5_000);
    await pass(250);
    expect((await lease.ready).via).toBe('upnp-igd');
    await pass(10_000);
    expect([...journal.noted.values()].map(({ via }) => via).sort()).toEqual(['pcp', 'upnp-igd']);
  });

  it('is released with a lease that is closed before it was renewed', async () => {
    const gateway = fakeMapper();
    gateway.answer = ({ call }) => (call === 'renew' ? silent() : undefined);
    const { keep, pass, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover()];
    const closed = (await keep()).close();
    await pass(1_000);
    await closed;
    expect(gateway.calls).toEqual(['renew udp 5000', 'release udp 5000']);
    expect(journal.noted.size).toBe(0);
  });
});

describe('other leftovers', () => {
  it('are released in the background', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    gateway.answer = ({ call }) => (call === 'release' ? answer.promise : undefined);
    const { keep, pass, journal } = leaseWorld(gateway);
    const others = [leftover({ protocol: 'tcp' }), leftover({ internal: endpoint('192.168.1.2', 80) })];
    journal.leftovers = others;
    const lease = await keep();
    expect(lease.current.state).toBe('mapped');
    expect([...journal.noted.values()].slice(0, 2)).toEqual(others);
    answer.resolve();
    await pass(0);
    expect(gateway.calls.sort()).toEqual(['map udp 5000', 'release tcp 5000', 'release udp 80']);
    expect(journal.noted.size).toBe(1);
  });

  it('are left to the leases that are kept at the same time', async () => {
    const gateway = fakeMapper();
    const { leases, pass, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover({ protocol: 'tcp' }), leftover()];
    leases.keep({ protocol: 'udp', internalPort: 5000 });
    leases.keep({ protocol: 'tcp', internalPort: 5000 });
    await pass(0);
    expect(gateway.calls.sort()).toEqual(['renew tcp 5000', 'renew udp 5000']);
  });

  it('are out of the way before their port is mapped', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    gateway.answer = ({ call }) => (call === 'release' ? answer.promise : undefined);
    const { keep, pass, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover({ protocol: 'tcp' })];
    await keep();
    await keep({ protocol: 'tcp' });
    expect(gateway.calls).toEqual(['release tcp 5000', 'map udp 5000']);
    answer.resolve();
    await pass(0);
    expect(gateway.calls).toEqual(['release tcp 5000', 'map udp 5000', 'map tcp 5000']);
  });

  it.each<[string, Partial<Mapping>]>([
    ['by a protocol that is not asked', { via: 'nat-pmp' }],
    ['to an address that this host has no more', { internal: endpoint('10.0.0.7', 5000) }],
  ])('%s are noted for a later process', async (_, which) => {
    const gateway = fakeMapper();
    const { keep, journal } = leaseWorld(gateway);
    journal.leftovers = [leftover(which)];
    const lease = await keep();
    await lease.close();
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
    expect([...journal.noted.values()]).toEqual([leftover(which)]);
  });

  it('of a gateway that is silent are given up after the first, and noted for a later process', async () => {
    const gateway = fakeMapper();
    gateway.answer = ({ call }) => (call === 'release' ? silent() : undefined);
    const { keep, pass, journal } = leaseWorld(gateway);
    journal.leftovers = [81, 82, 83].map((port) => leftover({ internal: endpoint('192.168.1.2', port) }));
    await keep();
    await pass(10_000);
    await pass(10_000);
    expect(gateway.calls.sort()).toEqual(['map udp 5000', 'release udp 81']);
    expect(journal.noted.size).toBe(4);
  });

  it('are awaited by a close, but not for long', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    gateway.answer = ({ call, internalPort }) =>
      call === 'release' && internalPort === 80 ? answer.promise : undefined;
    const { keep, pass, journal, leases } = leaseWorld(gateway);
    journal.leftovers = [leftover({ internal: endpoint('192.168.1.2', 80) })];
    await keep();
    const closed = leases.close();
    await pass(1_000);
    expect(gateway.open).toBe(1);
    answer.resolve();
    await closed;
    expect([gateway.open, journal.noted.size]).toEqual([0, 0]);
  });

  it('are taken over with the first lease, once', async () => {
    const gateway = fakeMapper();
    const { keep, journal } = leaseWorld(gateway);
    expect(gateway.calls).toEqual([]);
    await keep();
    journal.leftovers = [leftover({ protocol: 'tcp' })];
    await keep({ internalPort: 80 });
    expect(gateway.calls).toEqual(['map udp 5000', 'map udp 80']);
  });
});
