import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { systemClock } from '../../src/adapters/node/clock.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import type { Mapping, MappingProtocol, MappingVia, PortMapper } from '../../src/core/port-mapper.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { RemoteMappers } from './net/mapper/remote-mappers.ts';
import { Miniupnpd, type MiniupnpdOptions } from './net/miniupnpd.ts';
import { NATS } from './net/nat.ts';
import { fetchTcp, serveTcp, UdpProbe } from './net/probe/probes.ts';
import { describeInLab } from './net/requirements.ts';

describeInLab('port mappers and a gateway with miniupnpd', () => {
  let lab: Lab;
  /** On the internet, and behind a NAT of its own. */
  let strangers: readonly Host[];
  const homes = new Map<string, Promise<Home>>();

  beforeAll(async () => {
    lab = await createLab();
    const elsewhere = await lab.site('elsewhere', { nat: NATS['EI/APD'] });
    strangers = [await lab.publicHost('far'), elsewhere.hosts[0]!];
  });
  afterAll(() => lab.close());

  /** A home with such a gateway: the same one for the same options. */
  function homeWith(options: MiniupnpdOptions): Promise<Home> {
    const key = JSON.stringify(options);
    const home = homes.get(key) ?? makeHome(lab, `home${homes.size}`, options);
    homes.set(key, home);
    return home;
  }

  it.each<[MappingVia, string, MiniupnpdOptions]>([
    ['pcp', 'with NAT-PMP and PCP', { natPmp: true }],
    ['pcp', 'with everything', { igd: 2, natPmp: true }],
    ['nat-pmp', 'with NAT-PMP and PCP', { natPmp: true }],
    ['nat-pmp', 'with everything', { igd: 2, natPmp: true }],
    ['upnp-igd', 'of version 1', { igd: 1 }],
    ['upnp-igd', 'of version 2', { igd: 2 }],
    ['nat-upnp', 'of version 1', { igd: 1 }],
    ['nat-upnp', 'of version 2', { igd: 2 }],
  ])('%s lets strangers in at a gateway %s until it removes the mappings', async (via, _, options) => {
    const { site, daemon, mappers, neighbour, inside } = await homeWith(options);
    onTestFailed(() => console.error(daemon.log));
    const mapper = await mappers.open(via);
    const udp = await mapper.map({ protocol: 'udp', internalPort: inside.port, externalPort: 6000, lifetime: 600 });
    const tcp = await mapper.map({ protocol: 'tcp', internalPort: TCP_PORT, externalPort: 6001, lifetime: 600 });
    expect([udp, tcp].map(({ external }) => formatEndpoint(external))).toEqual(
      [6000, 6001].map((port) => `${site.publicAddress}:${port}`),
    );

    const getIn = async (stranger: Host): Promise<void> => {
      const outside = await UdpProbe.open(stranger);
      const knock = `knock from ${stranger.name} ${outside.port}`;
      await outside.send(udp.external.address, udp.external.port, knock);
      const { address, port } = await inside.receive(new RegExp(`^${knock}$`));
      await inside.send(address, port, 'come in');
      expect(await outside.receive(/^/)).toMatchObject({ address: site.publicAddress, port: 6000, text: 'come in' });
      expect(await fetchTcp(stranger, tcp.external.address, tcp.external.port)).toMatchObject({ bytes: 1000 });
    };
    const isTaken = (protocol: MappingProtocol, port: number) =>
      isTakenAt(daemon, options, neighbour.host, protocol, port);

    for (const stranger of strangers) await getIn(stranger);
    expect([await isTaken('udp', 6000), await isTaken('tcp', 6001)]).toEqual([true, true]);

    const renewed = [await mapper.renew(udp), await mapper.renew(tcp)];
    expect(renewed.map(({ external }) => external)).toEqual([udp.external, tcp.external]);
    await getIn(strangers[0]!);

    for (const mapping of renewed) await mapper.release(mapping);
    const staysOut = async (stranger: Host): Promise<void> => {
      const outside = await UdpProbe.open(stranger);
      await outside.send(udp.external.address, udp.external.port, 'too late', 5);
      expect(await fetchTcp(stranger, tcp.external.address, tcp.external.port)).toMatchObject({ outcome: 'timeout' });
    };
    await Promise.all(strangers.map(staysOut));
    await neighbour.socket.send(udp.internal.address, inside.port, 'the neighbour');
    expect(await inside.countUntil('the neighbour', 'too late')).toBe(0);
    expect(await daemon.forwarded()).toEqual([]);
    expect([await isTaken('udp', 6000), await isTaken('tcp', 6001)]).toEqual([false, false]);
  });

  it.each<[string, MiniupnpdOptions, readonly MappingVia[]]>([
    ['UPnP', { igd: 2 }, ['pcp', 'nat-pmp']],
    ['NAT-PMP and PCP', { natPmp: true }, ['upnp-igd', 'nat-upnp']],
  ])('where the gateway speaks %s only, the others say so within their budget', async (_, options, vias) => {
    const { mappers } = await homeWith(options);
    await expectUnavailable(mappers, vias);
  });

  it('without a gateway that speaks any of them, and without a route to it, all say so within their budget', async () => {
    const { hosts } = await lab.site('silent', { nat: NATS['EI/APD'], hosts: 2 });
    await hosts[1]!.run('ip', ['route', 'del', 'default']);
    const both = await Promise.all(hosts.map((host) => RemoteMappers.start(host)));
    await Promise.all(both.map((mappers) => expectUnavailable(mappers, ALL)));
  });

  it.each<[string, string, string]>([
    ['is down', 'down', 'link set eth1 down'],
    ['leads to a silent router, by the better route', 'dead', 'route add default via 192.168.250.1 dev eth1 metric 1'],
  ])('with a second interface that %s, all map by the other one', async (_, name, command) => {
    const site = await lab.site(name, { nat: NATS['EI/APD'] });
    const host = site.hosts[0]!;
    await Miniupnpd.start(site.nat, { igd: 2, natPmp: true });
    const input = [
      `route replace default via ${site.nat.lanAddress} dev eth0 metric 100`,
      `route del default via ${site.nat.lanAddress} dev eth0 metric 0`,
      'link add eth1 type veth peer name nowhere',
      'addr add 192.168.250.2/24 dev eth1',
      'link set eth1 up',
      'link set nowhere up',
      command,
    ].join('\n');
    await host.run('ip', ['-batch', '-'], { input: `${input}\n` });
    const mappers = await RemoteMappers.start(host);
    const [outside, inside] = [await UdpProbe.open(strangers[0]!), await UdpProbe.open(host)];
    for (const [i, via] of ALL.entries()) {
      const mapper = await mappers.open(via);
      const mapping = await mapper.map({ protocol: 'udp', internalPort: inside.port, externalPort: 6000 + i });
      expect(mapping).toMatchObject({ internal: { address: host.address }, gateway: site.nat.lanAddress });
      await outside.send(mapping.external.address, mapping.external.port, via);
      await inside.receive(new RegExp(`^${via}$`));
      await mapper.release(mapping);
    }
  });

  it('a gateway that is itself behind a carrier NAT has no address to give, as each protocol says it', async () => {
    const { hosts, nat } = await lab.site('carried', { nat: NATS['EI/APD'], carrier: NATS['EI/APD'] });
    await Miniupnpd.start(nat, { igd: 2, natPmp: true });
    const mappers = await RemoteMappers.start(hosts[0]!);
    const codes = await Promise.all(ALL.map(async (via) => [via, await failureOf(await mappers.open(via))]));
    expect(Object.fromEntries(codes)).toEqual({
      pcp: 'ERR_MAPPING_EXHAUSTED', // NO_RESOURCES
      'nat-pmp': 'ERR_MAPPING_REFUSED',
      'upnp-igd': 'ERR_MAPPING_REFUSED',
      'nat-upnp': 'ERR_MAPPING_REFUSED',
    });
  });
});

interface Home {
  readonly site: Site;
  readonly daemon: Miniupnpd;
  readonly mappers: RemoteMappers;
  /** A socket on the host of the mappers. */
  readonly inside: UdpProbe;
  readonly neighbour: { readonly host: Host; readonly socket: UdpProbe };
}

/** Of a server on the host of the mappers; it gives 1000 bytes. */
const TCP_PORT = 8080;

async function makeHome(lab: Lab, name: string, options: MiniupnpdOptions): Promise<Home> {
  const site = await lab.site(name, { nat: NATS['EI/APD'], hosts: 2 });
  const [host, neighbour] = [site.hosts[0]!, site.hosts[1]!];
  const [daemon, mappers, inside, socket] = await Promise.all([
    Miniupnpd.start(site.nat, options),
    RemoteMappers.start(host),
    UdpProbe.open(host),
    UdpProbe.open(neighbour),
    serveTcp(host, 1000, [TCP_PORT]),
  ]);
  return { site, daemon, mappers, inside, neighbour: { host: neighbour, socket } };
}

const ALL: readonly MappingVia[] = ['pcp', 'nat-pmp', 'upnp-igd', 'nat-upnp'];

/** 2 s is what each takes at most, and the machine needs some to say so. */
async function expectUnavailable(mappers: RemoteMappers, vias: readonly MappingVia[]): Promise<void> {
  const clock = systemClock();
  const start = clock.now();
  const codes = await Promise.all(vias.map(async (via) => failureOf(await mappers.open(via))));
  expect(clock.now() - start).toBeLessThan(3_500);
  expect(new Set(codes)).toEqual(new Set(['ERR_MAPPING_UNAVAILABLE']));
}

/** The code by which a mapper does not map. */
async function failureOf(mapper: PortMapper): Promise<string> {
  return mapper.map({ protocol: 'udp', internalPort: 5000 }).then(
    ({ external }: Mapping) => `port ${external.port}`,
    ({ code }: { readonly code: string }) => code,
  );
}

/** Whether an external port is taken, by the word of programs that are not ours: `upnpc` lists, `natpmpc` asks for it and gives it back. */
async function isTakenAt(
  { descriptionUrl }: Miniupnpd,
  { igd }: MiniupnpdOptions,
  neighbour: Host,
  protocol: MappingProtocol,
  port: number,
): Promise<boolean> {
  if (igd !== undefined) {
    const list = await neighbour.run('upnpc', ['-u', descriptionUrl, '-l']);
    return new RegExp(`^ *\\d+ ${protocol.toUpperCase()} +${port}->`, 'm').test(list);
  }
  const answer = await neighbour.run('natpmpc', ['-a', String(port), '7777', protocol, '60']);
  await neighbour.run('natpmpc', ['-a', '0', '7777', protocol, '0']);
  return !answer.includes(`Mapped public port ${port} protocol ${protocol.toUpperCase()}`);
}
