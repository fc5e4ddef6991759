import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/core/deferred.ts';
import { TraversalError } from '../../src/core/errors.ts';
import { type FakeMapper, fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { leaseWorld } from './lease-world.ts';

const HALF_HOUR = 1_800_000;
const silent = (): Promise<never> => new Promise(() => {});
const refuse = (): never => {
  throw new TraversalError('ERR_MAPPING_REFUSED', 'no');
};

describe('a lease that is closed', () => {
  it('has its mapping released, and nothing noted or waiting any more', async () => {
    const gateway = fakeMapper();
    const { keep, clock, journal } = leaseWorld(gateway);
    const lease = await keep();
    await lease.close();
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
    expect([gateway.table.size, journal.noted.size, clock.pending]).toEqual([0, 0, 0]);
    expect(lease.current).toEqual({ state: 'released' });
  });

  it('twice is released once', async () => {
    const gateway = fakeMapper();
    const { keep } = leaseWorld(gateway);
    const lease = await keep();
    expect(lease.close()).toBe(lease.close());
    await lease.close();
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
  });

  it('while mapping aborts the race, which leaves nothing', async () => {
    const gateway = fakeMapper();
    gateway.answer = silent;
    const { keep, clock, journal } = leaseWorld(gateway);
    const lease = await keep();
    await lease.close();
    await expect(lease.ready).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect([gateway.calls, clock.pending, journal.noted.size]).toEqual([['map udp 5000'], 0, 0]);
  });

  it('while mapping releases what is obtained all the same', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    gateway.obedient = false;
    gateway.answer = ({ call }) => (call === 'map' ? answer.promise : undefined);
    const { keep, journal } = leaseWorld(gateway);
    const lease = await keep();
    const closed = lease.close();
    answer.resolve();
    await closed;
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
    expect([gateway.table.size, journal.noted.size]).toEqual([0, 0]);
  });

  it('while mapping releases what is obtained later still', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    gateway.obedient = false;
    gateway.answer = ({ call }) => (call === 'map' ? answer.promise : undefined);
    const { keep, pass, journal } = leaseWorld(gateway);
    const closed = (await keep()).close();
    await pass(3_000);
    await closed;
    answer.resolve();
    await pass(0);
    expect([gateway.table.size, journal.noted.size]).toEqual([0, 0]);
  });

  it('while renewing waits for that, and releases what it gave', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    const { keep, pass, journal, clock } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = ({ call }) => (call === 'renew' ? answer.promise : undefined);
    await pass(HALF_HOUR);
    const closed = lease.close();
    await pass(500);
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000']);
    answer.resolve();
    await closed;
    expect(gateway.calls).toEqual(['map udp 5000', 'renew udp 5000', 'release udp 5000']);
    expect([gateway.table.size, journal.noted.size, clock.pending]).toEqual([0, 0, 0]);
  });

  it('while renewing waits no longer than a second for that', async () => {
    const gateway = fakeMapper();
    const { keep, pass, clock } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = ({ call }) => (call === 'renew' ? silent() : undefined);
    await pass(HALF_HOUR);
    const closed = lease.close();
    await pass(1_000);
    await closed;
    expect([gateway.calls.at(-1), gateway.table.size, clock.pending]).toEqual(['release udp 5000', 0, 0]);
  });

  it('while unavailable has nothing to release', async () => {
    const gateway = fakeMapper();
    gateway.answer = refuse;
    const { keep, clock } = leaseWorld(gateway);
    await (await keep()).close();
    expect([gateway.calls, clock.pending]).toEqual([['map udp 5000'], 0]);
  });

  it('by a gateway that is silent is closed within 3 s, and left to a later process', async () => {
    const gateway = fakeMapper();
    const { keep, pass, journal } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = silent;
    const closed = lease.close();
    await pass(2_999);
    expect(lease.current.state).toBe('mapped');
    await pass(1);
    await closed;
    expect(lease.current.state).toBe('released');
    expect(journal.noted.size).toBe(1);
  });

  it('by a gateway that refuses is not noted any more, since it will refuse again', async () => {
    const gateway = fakeMapper();
    const { keep, journal, logged } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = refuse;
    await lease.close();
    expect(journal.noted.size).toBe(0);
    expect(logged).toContain('lease.not-released');
  });

  it('is out of the way before its port is mapped again', async () => {
    const [gateway, answer] = [fakeMapper(), new Deferred()];
    const { keep, pass } = leaseWorld(gateway);
    const first = await keep();
    gateway.answer = ({ call }) => (call === 'release' ? answer.promise : undefined);
    void first.close();
    const second = await keep();
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
    answer.resolve();
    await pass(0);
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000', 'map udp 5000']);
    expect(second.current.state).toBe('mapped');
  });
});

describe('leases that are closed', () => {
  it('are released all at once, before their port mappers are closed', async () => {
    const [pcp, upnp] = [fakeMapper(), fakeMapper('upnp-igd')];
    const { keep, leases, pass, clock, journal } = leaseWorld(pcp, upnp);
    const kept = [await keep(), await keep({ protocol: 'tcp' }), await keep({ internalPort: 80 })];
    const answer = new Deferred();
    pcp.answer = () => answer.promise;
    const closed = leases.close();
    await pass(0);
    expect(pcp.calls.slice(3)).toEqual(['release udp 5000', 'release tcp 5000', 'release udp 80']);
    expect([pcp.open, upnp.open]).toEqual([1, 1]);
    answer.resolve();
    await closed;
    expect([pcp.open, upnp.open, pcp.table.size, journal.noted.size, clock.pending]).toEqual([0, 0, 0, 0, 0]);
    expect(kept.map(({ current }) => current.state)).toEqual(['released', 'released', 'released']);
  });

  it('wait 3 s at most for a gateway that is silent', async () => {
    const gateway = fakeMapper();
    const { keep, leases, pass, clock } = leaseWorld(gateway);
    const lease = await keep();
    gateway.answer = silent;
    const closed = leases.close();
    await pass(2_999);
    expect(gateway.open).toBe(1);
    await pass(1);
    await closed;
    expect([gateway.open, lease.current.state, clock.pending]).toEqual([0, 'released', 0]);
  });

  it('wait 3 s at most for a port mapper that does not close', async () => {
    const gateway = fakeMapper();
    const { leases, pass, logged, clock } = leaseWorld(neverClosing(gateway));
    const closed = leases.close();
    await pass(3_000);
    await closed;
    expect([logged, clock.pending]).toEqual([['port-leases.not-closed'], 0]);
  });

  it('keep nothing any more, and close once', async () => {
    const { leases, keep } = leaseWorld(fakeMapper());
    const closed = leases.close();
    expect(leases.close()).toBe(closed);
    await expect(keep()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    leases.networkChanged();
    await closed;
  });

  it('hear of no restarts any more', async () => {
    const gateway = fakeMapper();
    const { keep, leases, pass } = leaseWorld(gateway);
    await keep();
    await pass(60_000);
    const closed = leases.close();
    gateway.restart();
    await closed;
    expect(gateway.calls).toEqual(['map udp 5000', 'release udp 5000']);
  });
});

function neverClosing(fake: FakeMapper): FakeMapper {
  return { ...fake, factory: (environment) => ({ ...fake.factory(environment), close: silent }) };
}
