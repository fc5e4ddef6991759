import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import type { LinkSpec } from '../../../src/sim/index.ts';
import { type Internet, internet } from '../../../src/sim/index.ts';
import { type ComplianceWorld, type NetworkWorld, networkCompliance } from '../../../src/testing/compliance/index.ts';

/** Two hosts of one network. */
function lan(address: string, link: LinkSpec = {}): () => Promise<NetworkWorld> {
  return async () => {
    const world = internet({ seed: 1 });
    const home = world.lan('home', { ipv4: '192.168.1.0/24', ipv6: '2001:db8:1:1::/64' });
    const clientAddress = address.replace(/10$/, '11');
    const server = home.host('server', { addresses: [address], link });
    const client = home.host('client', { addresses: [clientAddress], link });
    return { server: simNetwork(server), client: simNetwork(client), address, clientAddress, ...inTimeOf(world) };
  };
}

networkCompliance({
  name: 'simNetwork, IPv4 with latency',
  create: lan('192.168.1.10', { latency: 25, jitter: 3 }),
});
networkCompliance({ name: 'simNetwork, IPv6', create: lan('2001:db8:1:1::10') });
networkCompliance({
  name: 'simNetwork, one host by loopback',
  create: async () => {
    const world = internet({ seed: 1 });
    const network = simNetwork(world.host('alone'));
    return { server: network, client: network, address: '127.0.0.1', ...inTimeOf(world) };
  },
});

/** Virtual time goes on for as long as a test runs. */
function inTimeOf({ clock }: Internet): ComplianceWorld {
  return { clock, settle: (promise) => clock.runUntil(promise), close: async () => {} };
}

describe('simNetwork', () => {
  /** Alice at home, with a cable to the internet besides, and a server with both families. */
  function world() {
    const simulated = internet({ seed: 1 });
    const home = simulated.nat('home');
    const alice = simulated.addHost({
      name: 'alice',
      interfaces: [{ network: 'home' }, { network: 'internet', addresses: ['203.0.113.9', '2001:db8::9'] }],
    });
    const server = simulated.host('server', { aliases: ['www.example.org'] });
    return { simulated, home, alice, server, network: simNetwork(alice) };
  }

  it('lists addresses that are up, loopback among them', () => {
    const { simulated, network } = world();
    const listed = (): string[] => network.interfaces().map(({ name, address }) => `${name} ${address}`);
    const all = ['lo 127.0.0.1', 'lo ::1', 'eth0 192.168.1.100', 'eth1 203.0.113.9', 'eth1 2001:db8::9'];
    expect(listed()).toEqual(all);
    expect(network.interfaces().map(({ internal }) => internal)).toEqual([true, true, false, false, false]);
    simulated.happen({ type: 'link', state: 'down', network: 'home', host: 'alice' });
    expect(listed()).toEqual(all.filter((line) => !line.startsWith('eth0')));
  });

  it('knows its gateways, the preferred one first', async () => {
    const { simulated, network } = world();
    expect(await network.gateways()).toEqual([
      { address: '192.168.1.1', family: 4, interface: 'eth0', local: '192.168.1.100' },
      { address: '192.0.2.1', family: 4, interface: 'eth1', local: '203.0.113.9' },
      { address: '2001:db8::1', family: 6, interface: 'eth1', local: '2001:db8::9' },
    ]);
    simulated.happen({ type: 'link', state: 'down', network: 'home', host: 'alice' });
    expect((await network.gateways()).map(({ address }) => address)).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('resolves names of simulated hosts', async () => {
    const { network, server } = world();
    const [ipv4, ipv6] = ([4, 6] as const).map((family) => server.interfaces[0]!.addressOf(family));
    expect(await network.resolve('www.example.org')).toEqual([ipv6, ipv4]);
    expect(await network.resolve('server', { family: 4 })).toEqual([ipv4]);
    await expect(network.resolve('nobody.example.org')).rejects.toMatchObject({ code: 'ERR_RESOLVE' });
  });

  it('connects to the first address of a name that answers', async () => {
    const { simulated, home, network, server } = world();
    const listener = await simNetwork(server).listen({ port: 80, address: '0.0.0.0' });
    const accepted = firstValueFrom(listener.connections$);
    const client = await simulated.clock.runUntil(network.connect({ host: 'server', port: 80 }));
    expect(client.remote.family).toBe(4);
    expect((await simulated.clock.runUntil(accepted)).remote.address).toBe(home.external[0]);
    const refused = network.connect({ host: 'server', port: 81 });
    await expect(simulated.clock.runUntil(refused)).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
  });

  it.each([0.5, -1, 65_536])('refuses port %d', async (port) => {
    const { network } = world();
    const usage = { code: 'ERR_USAGE' };
    await expect(network.udp({ family: 4, port })).rejects.toMatchObject(usage);
    await expect(network.listen({ port })).rejects.toMatchObject(usage);
    await expect(network.connect({ host: 'server', port })).rejects.toMatchObject(usage);
  });

  it('completes the streams of a host that goes down', async () => {
    const { simulated, network } = world();
    const socket = await network.udp({ family: 4 });
    const listener = await network.listen({});
    const rest = Promise.all([
      firstValueFrom(socket.datagrams$.pipe(toArray())),
      firstValueFrom(listener.connections$.pipe(toArray())),
    ]);
    simulated.happen({ type: 'restart', host: 'alice' });
    expect(await rest).toEqual([[], []]);
  });
});
