import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { GatewayRestart, PortMapper, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import type { GatewaySpec, Host, Internet, SimulatedNetwork } from '../../../src/sim/index.ts';
import { internet } from '../../../src/sim/index.ts';
import { addressOf, bytes, hearing, trace } from '../datagrams.ts';
import { type Home, home } from './home.ts';

const ALL: GatewaySpec = { upnp: 2, natPmp: true, pcp: true };
const REQUEST = { protocol: 'udp', internalPort: 5000 } as const;

const MAPPERS: readonly (readonly [string, PortMapperFactory])[] = [
  ['pcp', pcp()],
  ['nat-pmp', natPmp()],
  ['upnp-igd', upnpIgd()],
];

/** Mappings as the router has them: `udp 5000 > 192.168.1.100:5000`. */
function tableOf({ gateway }: SimulatedNetwork, { clock }: Internet): string[] {
  const entries = gateway!.table.entries(clock.now());
  return entries.map(
    ({ protocol, external, internal }) => `${protocol} ${external.port} > ${internal.address}:${internal.port}`,
  );
}

describe.each(MAPPERS)('by %s', (name, factory) => {
  it('two hosts behind one gateway get a port each, and leave the other’s alone', async () => {
    const { world, network, host, neighbour, mapper } = home(ALL);
    const [mine, theirs] = [mapper(factory), mapper(factory, neighbour)];
    const run = <T>(promise: Promise<T>): Promise<T> => world.clock.runUntil(promise);
    const first = await run(mine.map(REQUEST));
    const second = await run(theirs.map(REQUEST));
    expect(first.external.port).toBe(5000);
    expect(second.external.port).not.toBe(5000);
    expect(tableOf(network, world)).toEqual([
      `udp 5000 > ${addressOf(host)}:5000`,
      `udp ${second.external.port} > ${addressOf(neighbour)}:5000`,
    ]);
    await run(mine.release(first));
    expect(tableOf(network, world)).toHaveLength(1);
    expect((await run(theirs.renew(second))).external).toEqual(second.external);
  });

  it('a restart of the router is told, once it is up again, and nothing stands then', async () => {
    const { world, network, mapper } = home(ALL);
    const one = mapper(factory);
    const restarts = told(one);
    const mapping = await world.clock.runUntil(one.map(REQUEST));
    world.happen({ type: 'reboot', network: 'home', downFor: 5_000 });
    await world.clock.advance(4_999);
    expect(restarts).toEqual([]);
    await world.clock.advance(2);
    expect(restarts).toEqual([{ gateway: '192.168.1.1' }]);
    expect(tableOf(network, world)).toEqual([]);
    expect((await world.clock.runUntil(one.renew(mapping))).external).toEqual(mapping.external);
  });

  it('another external address shows in what is renewed, and the mapping goes on there', async () => {
    const { world, network, mapper, host, stranger } = home(ALL);
    const one = mapper(factory);
    const restarts = told(one);
    const mapping = await world.clock.runUntil(one.map(REQUEST));
    world.happen({ type: 'readdress', network: 'home', external: ['198.51.100.77'] });
    await world.clock.advance(100);
    // UPnP tells a new address by events (GENA) only.
    expect(restarts).toHaveLength(name === 'upnp-igd' ? 0 : 1);
    const { heard } = hearing(host, 5000);
    hearing(stranger).socket.send(bytes('knock'), endpoint('198.51.100.77', 5000));
    await world.clock.advance(100);
    expect(heard).toEqual(['knock']);
    const renewed = await world.clock.runUntil(one.renew(mapping));
    expect(renewed.external).toEqual(endpoint('198.51.100.77', 5000));
    expect(tableOf(network, world)).toHaveLength(1);
  });

  it('a gateway behind a carrier’s NAT gives the address that it has itself', async () => {
    const world = internet({ seed: 1 });
    const carrier = world.nat('carrier', {}, { ipv4: '100.64.0.0/10' });
    const host = carrier.nat('home', {}, { gateway: ALL }).host('host');
    const mapping = await world.clock.runUntil(mapperOn(world, host, factory).map(REQUEST));
    expect(mapping).toMatchObject({ external: endpoint('100.64.0.100', 5000), reach: 'carrier' });
  });

  it('a router without a gateway is ERR_MAPPING_UNAVAILABLE', async () => {
    const world = internet({ seed: 1 });
    const mapper = mapperOn(world, world.nat('home').host('host'), factory);
    const mapping = world.clock.runUntil(mapper.map(REQUEST));
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
  });
});

describe('an old router', () => {
  it('grants leases without end only, which are taken', async () => {
    const { world, network, mapper } = home({ upnp: 1, permanentOnly: true });
    const mapping = await world.clock.runUntil(mapper(upnpIgd()).map(REQUEST));
    expect(mapping).toMatchObject({ lifetime: 0, goodUntil: Number.POSITIVE_INFINITY });
    await world.clock.advance(30 * 86_400_000);
    expect(tableOf(network, world)).toHaveLength(1);
  });
});

describe.each(MAPPERS)('%s is granted', (_name, factory) => {
  it('no more than the router grants', async () => {
    const { world, mapper } = home({ ...ALL, maxLifetime: 300 });
    const mapping = await world.clock.runUntil(mapper(factory).map({ ...REQUEST, lifetime: 7200 }));
    expect(mapping.lifetime).toBe(300);
  });
});

describe('what a gateway does not speak', () => {
  it.each<[string, PortMapperFactory, GatewaySpec]>([
    ['NAT-PMP, where there is PCP', natPmp(), { pcp: true }],
    ['PCP, where there is NAT-PMP', pcp(), { natPmp: true }],
  ])('%s is refused at once', async (_what, factory, gateway) => {
    const { world, mapper } = home(gateway);
    const mapping = world.clock.runUntil(mapper(factory).map(REQUEST));
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(world.clock.now()).toBe(0);
  });
});

describe('a firewall', () => {
  const STRICT = { filtering: 'address-and-port-dependent' } as const;

  it('behind the NAT is opened with the mapping, and closed with it', async () => {
    const world = internet({ seed: 1 });
    const network = world.nat('home', {}, { firewall: STRICT, gateway: ALL });
    const host = network.host('host');
    const mapper = mapperOn(world, host, natPmp());
    const { heard } = hearing(host, 5000);
    const mapping = await world.clock.runUntil(mapper.map(REQUEST));
    const knock = async (name: string): Promise<void> => {
      hearing(world.host(name)).socket.send(bytes(name), mapping.external);
      await world.clock.advance(100);
    };
    await knock('first');
    await world.clock.runUntil(mapper.release(mapping));
    await knock('second');
    expect(heard).toEqual(['first']);
  });

  it.each([
    ['IPv4', 4],
    ['IPv6', 6],
  ] as const)('alone gets pinholes of %s by PCP', async (_what, family) => {
    const world = internet({ seed: 1 });
    const network = world.lan('office', { firewall: STRICT, gateway: { pcp: true }, ipv6: true });
    const host = network.host('host');
    const internal = endpoint(addressOf(host, family), 5000);
    const mapper = mapperOn(world, host, pcp());
    const { heard } = hearing(host, 5000, family);
    const { socket } = hearing(world.host('stranger'), 0, family);
    const knock = async (text: string): Promise<void> => {
      socket.send(bytes(text), internal);
      await world.clock.advance(100);
    };
    await knock('too early');
    const request = { ...REQUEST, internalAddress: internal.address, externalPort: 6000, lifetime: 600 };
    const mapping = await world.clock.runUntil(mapper.map(request));
    expect(mapping).toMatchObject({ internal, external: internal });
    await knock('in time');
    world.happen({ type: 'reboot', network: 'office' });
    await knock('after a restart');
    await world.clock.runUntil(mapper.renew(mapping));
    await knock('in time again');
    await world.clock.runUntil(mapper.release(mapping));
    // Its session lasts for 5 minutes.
    await world.clock.advance(300_001);
    await knock('too late');
    expect(heard).toEqual(['in time', 'in time again']);
  });
});

describe('a gateway', () => {
  it('serves its own network only', async () => {
    const { world, network, stranger } = home(ALL, { nat: { tcp: { unsolicitedSyn: 'drop' } } });
    const lines = trace(world, ({ place, fate }) => place === 'home' && fate === 'sent');
    const { socket, heard } = hearing(stranger);
    const outside = network.external[0]!;
    socket.send(Uint8Array.of(0, 0), endpoint(outside, 5351));
    socket.send(bytes('M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n'), endpoint(outside, 1900));
    const connecting = world.clock.runUntil(stranger.tcp.connect({ remote: endpoint(outside, 5000) }));
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect([heard, lines]).toEqual([[], []]);
  });

  it('is quiet while nothing happens, and leaves nothing to happen', async () => {
    const { world, mapper } = home(ALL);
    const lines = trace(world);
    await world.clock.advance(86_400_000);
    expect([lines, world.clock.pending]).toEqual([[], 0]);
    const mappers = MAPPERS.map(([, factory]) => mapper(factory));
    for (const one of mappers) await world.clock.runUntil(one.map(REQUEST));
    for (const one of mappers) await world.clock.runUntil(Promise.resolve(one.close()));
    await world.clock.run();
    expect(world.clock.pending).toBe(0);
  });

  it('announces ten times that it has restarted, and stops when it loses power', async () => {
    const { world } = home({ natPmp: true });
    const lines = trace(world, ({ place, fate }) => place === 'home' && fate === 'sent');
    world.happen({ type: 'reboot', network: 'home' });
    await world.clock.run();
    const at = lines.map((line) => Number(line.split(' ')[0]));
    expect(at).toEqual(Array.from({ length: 10 }, (_, i) => 250 * (2 ** i - 1)));
    world.happen({ type: 'reboot', network: 'home' });
    world.networkNamed('home').router.stop();
    world.happen({ type: 'readdress', network: 'home' });
    await world.clock.advance(0);
    expect(world.clock.pending).toBe(0);
  });

  it('ends a connection that says nothing, and keeps a bounded number of them', async () => {
    const { world, host, network } = home({ upnp: 1 });
    const remote = endpoint('192.168.1.1', 5000);
    const sockets = await world.clock.runUntil(
      Promise.all(Array.from({ length: 70 }, () => host.tcp.connect({ remote }))),
    );
    let ended = 0;
    for (const socket of sockets) {
      void socket.read().then((chunk) => {
        if (chunk === null) ended++;
      });
    }
    await world.clock.advance(100);
    expect(ended).toBe(6);
    await world.clock.advance(10_000);
    expect(ended).toBe(70);
    for (const socket of sockets) socket.destroy();
    await world.clock.run();
    expect(network.router.tcp.size).toBe(0);
  });

  it('answers nonsense with a refusal, or not at all, and goes on', async () => {
    const at = home(ALL);
    const { world, host, mapper } = at;
    const random = world.random.stream('nonsense');
    const { socket, heard } = hearing(host);
    for (let i = 0; i < 500; i++) {
      for (const port of [5351, 1900]) socket.send(random.bytes(random.below(200)), endpoint('192.168.1.1', port));
    }
    await world.clock.advance(100);
    expect(heard.length).toBeLessThan(500);
    expect(await spoken(at, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await spoken(at, 'GET /rootDesc.xml HTTP/1.1\r\n')).toBe('');
    for (const [, factory] of MAPPERS) {
      await expect(world.clock.runUntil(mapper(factory).map(REQUEST))).resolves.toMatchObject({ lifetime: 3600 });
    }
  });
});

function told({ restarts$ }: PortMapper): readonly GatewayRestart[] {
  const restarts: GatewayRestart[] = [];
  restarts$.subscribe((restart) => restarts.push(restart));
  return restarts;
}

function mapperOn(world: Internet, host: Host, factory: PortMapperFactory): PortMapper {
  const random = world.random.stream(host.name);
  return factory({ network: simNetwork(host), clock: world.clock, random, log: silentLog });
}

/** What the gateway says over HTTP to a text, after which nothing more is sent. */
async function spoken({ world, host }: Home, text: string): Promise<string> {
  const connecting = host.tcp.connect({ remote: endpoint('192.168.1.1', 5000) });
  const talk = async (): Promise<string> => {
    const socket = await connecting;
    await socket.write(bytes(text));
    await socket.end();
    let heard = '';
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) heard += Buffer.from(chunk);
    return heard;
  };
  return world.clock.runUntil(talk());
}
