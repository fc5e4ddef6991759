import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/core/deferred.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import type { PortLease, PortLeaseState } from '../../src/core/port-lease.ts';
import { createPortLeases } from '../../src/leases/port-leases.ts';
import { fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { memoryNetwork } from '../adapters/port-mapper/memory-network.ts';
import { manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { leaseWorld } from './lease-world.ts';

const HALF_HOUR = 1_800_000;
const silent = (): Promise<never> => new Promise(() => {});
const refuse = (): never => {
  throw new TraversalError('ERR_MAPPING_REFUSED', 'no');
};

/** What `state$` tells, in words. */
function follow({ state$ }: PortLease): string[] {
  const told: string[] = [];
  const inWords = (state: PortLeaseState): string =>
    state.state === 'mapped' ? `mapped ${state.mapping.external.port} until ${state.mapping.goodUntil}` : state.state;
  state$.subscribe({ next: (state) => told.push(inWords(state)), complete: () => told.push('complete') });
  return told;
}

describe('a lease', () => {
  it('is mapped, told and noted', async () => {
    const gateway = fakeMapper();
    const { keep, journal } = leaseWorld(gateway);
    const lease = await keep({ externalPort: 6000, lifetime: 100 });
    const mapping = await lease.ready;
    expect(mapping).toMatchObject({ internal: endpoint('192.168.1.2', 5000), external: endpoint('203.0.113.9', 6000) });
    expect(lease.current).toMatchObject({ state: 'mapped', mapping, attempts: [{ via: 'pcp' }] });
    expect(lease.request).toEqual({ protocol: 'udp', internalPort: 5000, externalPort: 6000, lifetime: 100 });
    expect([...journal.noted.values()]).toEqual([mapping]);
  });

  it('is renewed at half its life, and tells and notes that', async () => {
    const gateway = fakeMapper();
    const { keep, pass, journal } = leaseWorld(gateway);
    const told = follow(await keep());
    await pass(HALF_HOUR - 1);
    expect(gateway.calls).toEqual(['map udp 5000']);
    await pass(1);
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000']);
    expect(told).toEqual(['mapped 5000 until 3600000', `mapped 5000 until ${3 * HALF_HOUR}`]);
    expect([...journal.noted.values()]).toMatchObject([{ goodUntil: 3 * HALF_HOUR }]);
    await pass(HALF_HOUR);
    expect(gateway.calls).toHaveLength(3);
  });

  it('may be renewed with another external port', async () => {
    const gateway = fakeMapper();
    const { keep, pass } = leaseWorld(gateway);
    const lease = await keep();
    gateway.grantPort = () => 7000;
    await pass(HALF_HOUR);
    expect(lease.current).toMatchObject({ state: 'mapped', mapping: { external: { port: 7000 } } });
  });

  it('tells its state first, then each change, and completes', async () => {
    const { leases, pass } = leaseWorld(fakeMapper());
    const lease = leases.keep({ protocol: 'udp', internalPort: 5000 });
    const told = follow(lease);
    await pass(0);
    await lease.close();
    expect(told).toEqual(['mapping', 'mapped 5000 until 3600000', 'released', 'complete']);
    expect(follow(lease)).toEqual(['released', 'complete']);
  });
});

describe('a gateway that restarts', () => {
  it('is asked again at once, by all leases that it had', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    const { keep, pass } = leaseWorld(pcp, upnp);
    await keep();
    await keep({ protocol: 'tcp', internalPort: 80 });
    await pass(60_000);
    upnp.restart();
    expect(pcp.calls.slice(2)).toEqual(['renew udp 5000', 'renew tcp 80']);
    await pass(0);
    expect(pcp.table.size).toBe(2);
  });

  it('and tells it for each local address is asked once', async () => {
    const gateway = fakeMapper();
    const { keep, pass } = leaseWorld(gateway);
    await keep();
    await pass(60_000);
    gateway.restart();
    gateway.restart();
    await pass(0);
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000']);
  });

  it('without end is asked every 4 s at most', async () => {
    const gateway = fakeMapper();
    const { keep, pass } = leaseWorld(gateway);
    await keep();
    for (let i = 0; i < 600; i++) {
      gateway.restart();
      await pass(100);
    }
    expect(gateway.calls.length).toBeGreaterThan(5);
    expect(gateway.calls.length).toBeLessThanOrEqual(1 + 60 / 4);
  });

  it('elsewhere is none of a lease’s business', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    upnp.gateway = '192.168.9.9';
    const { keep, pass } = leaseWorld(pcp, upnp);
    await keep();
    await pass(60_000);
    upnp.restart();
    await pass(0);
    expect(pcp.calls).toEqual(['map udp 5000']);
  });
});

describe('a renewal that fails', () => {
  it('by silence is tried once more, while the mapping is taken to stand', async () => {
    const gateway = fakeMapper();
    const { keep, pass } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = silent;
    await pass(HALF_HOUR);
    await pass(5_000);
    expect(lease.current.state).toBe('mapped');
    gateway.answer = () => {};
    await pass(3_600_000 / 8);
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000', 'renew udp 5000']);
    expect(lease.current).toMatchObject({ mapping: { goodUntil: HALF_HOUR + 5_000 + 450_000 + 3_600_000 } });
  });

  it('by refusal has the port mapped again, who made the mapping first', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    const { keep, pass, journal } = leaseWorld(pcp, upnp);
    pcp.answer = refuse;
    const lease = await keep();
    pcp.answer = () => {};
    upnp.answer = ({ call }) => void (call === 'renew' && refuse());
    const told = follow(lease);
    await pass(HALF_HOUR);
    expect(upnp.calls).toEqual(['map udp 5000', 'renew udp 5000', 'map udp 5000']);
    expect(pcp.calls).toEqual(['map udp 5000']);
    expect(told.map((state) => state.split(' ')[0])).toEqual(['mapped', 'mapping', 'mapped']);
    expect([...journal.noted.values()]).toMatchObject([{ via: 'upnp-igd' }]);
  });

  it('and a race that fails leave the lease unavailable, until it is tried again', async () => {
    const gateway = fakeMapper();
    const { keep, pass } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = refuse;
    await pass(HALF_HOUR);
    expect(lease.current).toMatchObject({ state: 'unavailable', attempts: [{ code: 'ERR_MAPPING_REFUSED' }] });
    gateway.answer = () => {};
    await pass(10_000);
    expect(lease.current.state).toBe('mapped');
  });
});

describe('another protocol', () => {
  it('that takes over has the mapping of the first released', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    pcp.gateway = '192.168.1.3';
    const { keep, pass, journal } = leaseWorld(pcp, upnp);
    await keep();
    pcp.answer = ({ call }) => void (call !== 'release' && refuse());
    await pass(HALF_HOUR);
    expect(pcp.calls).toEqual(['map udp 5000', 'renew udp 5000', 'map udp 5000', 'release udp 5000']);
    expect([pcp.table.size, upnp.table.size]).toEqual([0, 1]);
    expect([...journal.noted.values()]).toMatchObject([{ via: 'upnp-igd' }]);
  });

  describe('that was asking, too,', () => {
    /** PCP wins after 250 ms, and NAT-PMP, asked by then, never answers. */
    async function contested() {
      const [pcp, natPmp, answered] = [fakeMapper(), fakeMapper('nat-pmp'), new Deferred()];
      natPmp.answer = ({ call }) => (call === 'map' ? silent() : undefined);
      pcp.answer = ({ call }) => (call === 'map' ? answered.promise : undefined);
      const world = leaseWorld(pcp, natPmp);
      const lease = await world.keep();
      await world.pass(250);
      answered.resolve();
      await lease.ready;
      return { ...world, pcp, lease };
    }

    it('has the winner renewed, since it may have taken the entry of both back', async () => {
      const { pcp, lease, pass } = await contested();
      await pass(2_999);
      expect(pcp.calls).toEqual(['map udp 5000']);
      await pass(1);
      expect(pcp.calls).toEqual(['map udp 5000', 'renew udp 5000']);
      await lease.close();
      expect(pcp.calls).toEqual(['map udp 5000', 'renew udp 5000', 'release udp 5000']);
    });

    it('has the winner renewed before it is released sooner, since the entry may be in its name', async () => {
      const { pcp, lease, journal } = await contested();
      await lease.close();
      expect(pcp.calls).toEqual(['map udp 5000', 'renew udp 5000', 'release udp 5000']);
      expect([pcp.table.size, journal.noted.size]).toEqual([0, 0]);
    });

    it('does not keep a lease from its end when the gateway is silent by then', async () => {
      const { pcp, lease, pass } = await contested();
      pcp.answer = ({ call }) => (call === 'renew' ? silent() : undefined);
      const closed = lease.close();
      await pass(1_000);
      await closed;
      expect(pcp.calls).toEqual(['map udp 5000', 'renew udp 5000', 'release udp 5000']);
    });
  });

  it('that succeeds too late is released', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    pcp.obedient = false;
    pcp.grantPort = () => 6000;
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    pcp.answer = ({ call }) => (call === 'map' ? answered : undefined);
    const { keep, pass, journal } = leaseWorld(pcp, upnp);
    const lease = await keep();
    await pass(250);
    expect((await lease.ready).via).toBe('upnp-igd');
    answer();
    await pass(0);
    expect(pcp.calls).toEqual(['map udp 5000', 'release udp 5000']);
    expect([pcp.table.size, journal.noted.size]).toEqual([0, 1]);
  });
});

describe('without a mapping', () => {
  it('`ready` says why, and the lease goes on trying', async () => {
    const gateway = fakeMapper();
    gateway.answer = refuse;
    const { keep, pass } = leaseWorld(gateway);
    const lease = await keep();
    await expect(lease.ready).rejects.toMatchObject({
      code: 'ERR_MAPPING_REFUSED',
      message: 'no port mapping: pcp: no',
    });
    expect(lease.current).toMatchObject({ state: 'unavailable', attempts: [{ via: 'pcp', reason: 'no' }] });
    await pass(10_000);
    expect(gateway.calls).toHaveLength(2);
    await pass(19_999);
    expect(gateway.calls).toHaveLength(2);
    gateway.answer = () => {};
    await pass(1);
    expect(lease.current.state).toBe('mapped');
  });

  it('a race has its budget', async () => {
    const gateway = fakeMapper();
    gateway.answer = silent;
    const { keep, pass } = leaseWorld(gateway);
    const lease = await keep();
    await pass(5_000);
    await expect(lease.ready).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  });
});

describe('a network that changed', () => {
  it('has what is unavailable tried at once', async () => {
    const gateway = fakeMapper();
    gateway.answer = refuse;
    const { keep, pass, leases } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = () => {};
    leases.networkChanged();
    await pass(0);
    expect(lease.current.state).toBe('mapped');
  });

  it('has what is mapped renewed', async () => {
    const gateway = fakeMapper();
    const { keep, pass, leases } = leaseWorld(gateway);
    await keep();
    await pass(60_000);
    leases.networkChanged();
    await pass(0);
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000']);
  });

  it('and took this host’s address has the port mapped to the new one, and the old mapping ended', async () => {
    const gateway = fakeMapper('upnp-igd');
    const { keep, pass, leases, network, journal } = leaseWorld(gateway);
    const lease = await keep();
    await pass(60_000);
    network.addresses = [{ name: 'eth0', address: '192.168.1.77', family: 4, internal: false }];
    leases.networkChanged();
    await pass(0);
    expect(gateway.calls).toEqual(['map udp 5000', 'map udp 5000', 'release udp 5000']);
    expect(lease.current).toMatchObject({ mapping: { internal: endpoint('192.168.1.77', 5000) } });
    expect([...journal.noted.values()]).toMatchObject([{ internal: endpoint('192.168.1.77', 5000) }]);
  });
});

describe('a journal that fails', () => {
  it('is logged, and costs nobody a mapping', async () => {
    const gateway = fakeMapper();
    const { keep, pass, journal, logged } = leaseWorld(gateway);
    journal.broken = true;
    const lease = await keep();
    await lease.ready;
    await pass(HALF_HOUR);
    await lease.close();
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000', 'release udp 5000']);
    expect(logged.filter((event) => event === 'lease.journal-failed').length).toBeGreaterThanOrEqual(4);
  });
});

describe('wrong use', () => {
  it.each([{ internalPort: 0 }, { externalPort: 65_536 }, { lifetime: 0.5 }, { internalAddress: 'router.local' }])(
    'a request with %j is refused',
    (wrong) => {
      const { leases } = leaseWorld(fakeMapper());
      const keep = () => leases.keep({ protocol: 'udp', internalPort: 5000, ...wrong });
      expect(keep).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    },
  );

  it('a port that is kept already is refused', async () => {
    const { leases, keep } = leaseWorld(fakeMapper());
    await keep();
    expect(() => leases.keep({ protocol: 'udp', internalPort: 5000 })).toThrow('udp port 5000 is kept mapped already');
    await keep({ protocol: 'tcp' });
  });

  it('leases without a protocol are refused', () => {
    const world = { network: memoryNetwork(), clock: manualClock(), random: seededRandom(1), log: silentLog };
    expect(() => createPortLeases({ ...world, mappers: [] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
