import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { MappingRequest } from '../../../src/core/port-mapper.ts';
import { mapperWorld, routeTo } from './mapper-world.ts';
import { settled } from './memory-network.ts';

/** What `natPmp()` and `pcp()` have in common. */
describe.each([
  { name: 'nat-pmp', words: 'natpmp', factory: natPmp() },
  { name: 'pcp', words: 'pcp', factory: pcp() },
] as const)('$name', ({ name, words, factory }) => {
  const udp: MappingRequest = { protocol: 'udp', internalPort: 5000 };

  it('makes a mapping, and says what it is', async () => {
    const { mapper, gateway } = await mapperWorld(factory);
    const mapping = await mapper.map({ ...udp, externalPort: 6000, lifetime: 1000 });
    expect(mapping).toMatchObject({
      via: name,
      protocol: 'udp',
      internal: endpoint('192.168.1.2', 5000),
      external: endpoint('203.0.113.9', 6000),
      gateway: '192.168.1.1',
      lifetime: 1000,
      goodUntil: 1_000_000,
      reach: 'internet',
    });
    expect(mapping.renewAfter).toBeGreaterThanOrEqual(500_000);
    expect(mapping.renewAfter).toBeLessThanOrEqual(625_000);
    expect(gateway.table).toMatchObject([{ protocol: 17, internalPort: 5000, externalPort: 6000, lifetime: 1000 }]);
  });

  it('asks for the same external port and an hour, unless told otherwise', async () => {
    const { mapper, gateway } = await mapperWorld(factory);
    await mapper.map({ protocol: 'tcp', internalPort: 8080 });
    expect(gateway.table).toMatchObject([{ protocol: 6, externalPort: 8080, lifetime: 3600 }]);
  });

  it.each([
    ['100.64.3.4', 'carrier'],
    ['192.168.178.20', 'private'],
  ])('says that %s is of %s reach', async (externalAddress, reach) => {
    const { mapper, gateway } = await mapperWorld(factory);
    gateway.externalAddress = externalAddress;
    expect((await mapper.map(udp)).reach).toBe(reach);
  });

  it('renews, with new times and perhaps another address', async () => {
    const { mapper, gateway, clock } = await mapperWorld(factory);
    const mapping = await mapper.map({ ...udp, externalPort: 6000, lifetime: 1000 });
    clock.advance(500_000);
    gateway.externalAddress = '203.0.113.10';
    const renewed = await mapper.renew(mapping);
    expect(renewed).toMatchObject({ external: endpoint('203.0.113.10', 6000), lifetime: 1000, goodUntil: 1_500_000 });
    expect(renewed.handle).toEqual(mapping.handle);
    expect(gateway.table).toHaveLength(1);
  });

  it('releases, and does not mind what is gone', async () => {
    const { mapper, gateway, network } = await mapperWorld(factory);
    const [first, second] = [await mapper.map(udp), await mapper.map({ protocol: 'tcp', internalPort: 5000 })];
    await mapper.release(first);
    expect(gateway.table).toMatchObject([{ protocol: 6 }]);
    await mapper.release(first);
    await mapper.release(second);
    expect(gateway.table).toEqual([]);
    await settled();
    expect(network.open).toEqual([endpoint('192.168.1.1', 5351)]);
  });

  it('gives up a gateway that is silent after 2 s and four requests', async () => {
    const { mapper, gateway, pass, clock, network } = await mapperWorld(factory);
    gateway.silent = true;
    const mapping = expect(mapper.map(udp)).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    await pass(1950);
    expect(gateway.requests).toHaveLength(4);
    await pass(50);
    await mapping;
    expect(clock.pending).toBe(0);
    expect(network.open).toEqual([endpoint('192.168.1.1', 5351)]);
  });

  it('says of a gateway that spoke before that it is late', async () => {
    const { mapper, gateway, pass } = await mapperWorld(factory);
    const mapping = await mapper.map(udp);
    gateway.silent = true;
    const renewing = expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    const releasing = expect(mapper.release(mapping)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await pass(2000);
    await Promise.all([renewing, releasing]);
  });

  it('is unavailable at once without a gateway', async () => {
    const { mapper, network } = await mapperWorld(factory);
    network.routes = [];
    await expect(mapper.map(udp)).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
  });

  it('goes on to the next gateway after 250 ms', async () => {
    const { mapper, network, addGateway, pass } = await mapperWorld(factory);
    await addGateway('192.168.2.1', '192.168.2.2');
    network.routes = [routeTo('192.168.9.1', '192.168.9.2'), network.routes[1]!];
    const mapping = mapper.map(udp);
    await pass(250);
    expect(await mapping).toMatchObject({ gateway: '192.168.2.1', internal: endpoint('192.168.2.2', 5000) });
  });

  it('leaves no mapping at a gateway that came second', async () => {
    const { mapper, gateway, addGateway, pass } = await mapperWorld(factory);
    const other = await addGateway('192.168.2.1', '192.168.2.2');
    gateway.silent = true;
    other.losesGrants = true;
    const mapping = mapper.map(udp);
    await pass(300);
    expect(other.table).toHaveLength(1);
    gateway.silent = false;
    await pass(1000);
    expect((await mapping).gateway).toBe('192.168.1.1');
    expect(other.table).toEqual([]);
    expect(gateway.table).toHaveLength(1);
  });

  it('maps to an address of its host at the gateway of its interface', async () => {
    const { mapper, network, addGateway } = await mapperWorld(factory);
    const other = await addGateway('192.168.2.1', '192.168.2.2');
    network.addresses = [
      { name: 'eth0', address: '192.168.1.2', family: 4, internal: false },
      { name: 'eth1', address: '192.168.2.2', family: 4, internal: false },
    ];
    network.routes = [network.routes[0]!, { ...network.routes[1]!, interface: 'eth1' }];
    const mapping = await mapper.map({ ...udp, internalAddress: '192.168.2.2' });
    expect(mapping).toMatchObject({ gateway: '192.168.2.1', internal: endpoint('192.168.2.2', 5000) });
    expect(other.table).toHaveLength(1);
  });

  it('refuses an address that its host has not', async () => {
    const { mapper } = await mapperWorld(factory);
    const failing = mapper.map({ ...udp, internalAddress: '192.168.1.77' });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('does nothing for an aborted signal', async () => {
    const { mapper, gateway } = await mapperWorld(factory);
    const signal = AbortSignal.abort();
    await expect(mapper.map(udp, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(gateway.requests).toEqual([]);
  });

  it('ends at once when aborted, and leaves no mapping', async () => {
    const { mapper, gateway, pass } = await mapperWorld(factory);
    gateway.losesGrants = true;
    const aborting = new AbortController();
    const mapping = mapper.map(udp, { signal: aborting.signal });
    await settled();
    expect(gateway.table).toHaveLength(1);
    aborting.abort();
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await pass(3000);
    expect(gateway.table).toEqual([]);
    expect(gateway.requests.filter((request) => request !== 'natpmp external-address')).toHaveLength(2);
  });

  it('has a mapping or leaves none, at whatever moment it is aborted', async () => {
    const outcomes = new Set<string>();
    for (let moment = 0; moment < 80; moment++) {
      const { mapper, gateway, network } = await mapperWorld(factory);
      const aborting = new AbortController();
      const mapping = mapper.map(udp, { signal: aborting.signal }).then(
        () => 'mapped',
        ({ code }) => code,
      );
      for (let i = 0; i < moment; i++) await Promise.resolve();
      aborting.abort();
      const outcome = await mapping;
      await settled();
      outcomes.add(outcome);
      const [entries, sockets] = outcome === 'mapped' ? [1, 3] : [0, 1];
      expect([moment, gateway.table.length, network.open.length]).toEqual([moment, entries, sockets]);
    }
    expect(outcomes).toEqual(new Set(['ERR_ABORTED', 'mapped']));
  });

  it('withdraws nothing of another call for the same port', async () => {
    const { mapper, gateway } = await mapperWorld(factory);
    await mapper.map(udp);
    gateway.losesGrants = true;
    const aborting = new AbortController();
    const again = mapper.map(udp, { signal: aborting.signal });
    await settled();
    aborting.abort();
    await expect(again).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await settled();
    expect(gateway.table).toHaveLength(1);
  });

  it('is not hurt by a network that cannot open a socket', async () => {
    const { mapper, network } = await mapperWorld(factory);
    network.broken = true;
    await expect(mapper.map(udp)).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    network.broken = false;
    expect((await mapper.map(udp)).external.port).toBe(5000);
  });

  it('ends calls under way when closed, and frees its sockets', async () => {
    const { mapper, gateway, network, clock } = await mapperWorld(factory);
    const mapping = await mapper.map(udp);
    gateway.silent = true;
    const waiting = expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await settled();
    await mapper.close();
    await waiting;
    await settled();
    expect(network.open).toEqual([endpoint('192.168.1.1', 5351)]);
    expect(clock.pending).toBe(0);
    expect(gateway.table).toHaveLength(1);
    await expect(mapper.map(udp)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('tells that the gateway has restarted when it announces so', async () => {
    const { mapper, gateway, pass } = await mapperWorld(factory);
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await pass(60_000);
    await mapper.map(udp);
    gateway.announce(words);
    await settled();
    expect(restarts).toEqual([]);
    gateway.reboot();
    gateway.announce(words);
    await settled();
    expect(restarts).toEqual([{ gateway: '192.168.1.1' }]);
  });

  it('tells it when an answer shows it, and maps again', async () => {
    const { mapper, gateway, pass } = await mapperWorld(factory);
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await pass(60_000);
    const mapping = await mapper.map(udp);
    gateway.reboot();
    await mapper.renew(mapping);
    expect(restarts).toEqual([{ gateway: '192.168.1.1' }]);
    expect(gateway.table).toHaveLength(1);
  });

  it('works without announcements where the port is not to be had', async () => {
    const { mapper, network } = await mapperWorld(factory);
    network.deafPort = 5350;
    expect((await mapper.map(udp)).external.port).toBe(5000);
  });
});
