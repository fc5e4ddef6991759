import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { GatewayRestart, Mapping, MappingRequest, PortMapper } from '../../../src/core/port-mapper.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { drive } from './drive.ts';
import { descriptionOf, FakeGateway, type FakeGatewayOptions } from './fake-gateway.ts';
import { type LoopbackNetwork, loopbackNetwork } from './loopback-network.ts';

interface World {
  readonly gateway: FakeGateway;
  readonly mapper: PortMapper;
  readonly clock: ManualClock;
  readonly lan: LoopbackNetwork;
}

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function startGateway(options?: FakeGatewayOptions): Promise<FakeGateway> {
  const gateway = await FakeGateway.start(options);
  releases.push(() => gateway.stop());
  return gateway;
}

async function world(options?: FakeGatewayOptions): Promise<World> {
  const gateway = await startGateway(options);
  const lan = loopbackNetwork({ answerers: [gateway] });
  return { gateway, lan, ...mapperOn(lan) };
}

function mapperOn({ network }: LoopbackNetwork): { mapper: PortMapper; clock: ManualClock } {
  const clock = manualClock();
  const mapper = upnpIgd()({ network, clock, random: seededRandom(7), log: () => {} });
  releases.push(() => mapper.close());
  return { mapper, clock };
}

const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };
const OURS = { protocol: 'udp', internalClient: '127.0.0.1', internalPort: 5000, description: 'sallyport' } as const;
const THEIRS = { protocol: 'udp', internalClient: '192.168.1.9', internalPort: 80, description: 'a game' } as const;

describe.each([1, 2] as const)('a gateway of version %d', (version) => {
  it('maps, and tells what it granted', async () => {
    const { gateway, mapper, clock } = await world({ version });
    const mapping = await drive(clock, mapper.map({ ...REQUEST, externalPort: 6000, lifetime: 600 }));
    expect(mapping).toMatchObject({
      via: 'upnp-igd',
      protocol: 'udp',
      internal: endpoint('127.0.0.1', 5000),
      external: endpoint('11.0.0.1', 6000),
      gateway: '127.0.0.1',
      lifetime: 600,
      reach: 'internet',
    });
    expect(gateway.table).toEqual([{ ...OURS, externalPort: 6000, lease: 600 }]);
  });

  it('is asked six questions and no more', async () => {
    const { gateway, mapper, clock } = await world({ version });
    await drive(clock, mapper.map(REQUEST));
    expect(gateway.asked).toEqual([
      'GET /rootDesc.xml',
      'GetStatusInfo',
      'GetExternalIPAddress',
      'GetSpecificPortMappingEntry',
      'AddPortMapping',
      'GetSpecificPortMappingEntry',
    ]);
    gateway.asked.length = 0;
    await drive(clock, mapper.map({ ...REQUEST, protocol: 'tcp' }));
    expect(gateway.asked).toHaveLength(4);
  });

  it('does not take over what this host mapped by other means', async () => {
    const { gateway, mapper, clock } = await world({ version });
    const other = { ...OURS, internalPort: 7777, description: 'libminiupnpc', externalPort: 5000, lease: 0 };
    gateway.table.push(other);
    await drive(clock, mapper.map(REQUEST));
    expect(gateway.table[0]).toEqual(other);
    expect(gateway.table).toHaveLength(2);
  });

  it('finds again what a killed process left at another port', async () => {
    const { gateway, mapper, clock } = await world({ version });
    gateway.table.push({ ...THEIRS, externalPort: 5000, lease: 0 }, { ...OURS, externalPort: 50_123, lease: 9 });
    const mapping = await drive(clock, mapper.map(REQUEST));
    expect(mapping.external.port).toBe(50_123);
    await drive(clock, mapper.release(mapping));
    expect(gateway.table).toMatchObject([THEIRS]);
  });
});

describe('a lease', () => {
  it('without end is what a gateway gets that knows no other (725), and is removed', async () => {
    const { gateway, mapper, clock } = await world();
    gateway.refuse = (action, { NewLeaseDuration }) =>
      action === 'AddPortMapping' && NewLeaseDuration !== '0' ? 725 : undefined;
    const mapping = await drive(clock, mapper.map(REQUEST));
    expect(mapping).toMatchObject({ lifetime: 0, goodUntil: Number.POSITIVE_INFINITY });
    await drive(clock, mapper.release(mapping));
    expect(gateway.table).toEqual([]);
  });

  it('of version 2 is of a week at most', async () => {
    const { gateway, mapper, clock } = await world({ version: 2 });
    expect(await drive(clock, mapper.map({ ...REQUEST, lifetime: 10_000_000 }))).toMatchObject({ lifetime: 604_800 });
    expect(gateway.table[0]?.lease).toBe(604_800);
  });

  it('is as long as the table says when that is shorter than asked for', async () => {
    const { gateway, mapper, clock } = await world();
    const mapping = mapper.map(REQUEST);
    gateway.intercept = () => {
      for (const entry of gateway.table) entry.lease = 120;
      return false;
    };
    expect(await drive(clock, mapping)).toMatchObject({ lifetime: 120 });
  });

  it('is renewed where it is, by another process too', async () => {
    const { gateway, mapper, clock, lan } = await world();
    const mapping = await drive(clock, mapper.map({ ...REQUEST, lifetime: 600 }));
    const stored: Mapping = JSON.parse(JSON.stringify(mapping));
    gateway.table[0]!.lease = 3;
    const later = mapperOn(lan);
    expect(await drive(later.clock, later.mapper.renew(stored))).toMatchObject({ external: mapping.external });
    expect(gateway.table).toEqual([{ ...OURS, externalPort: 5000, lease: 600 }]);
    expect(gateway.asked.filter((asked) => asked.startsWith('GET'))).toHaveLength(1);
  });

  it('moves at its renewal when somebody took the port meanwhile', async () => {
    const { gateway, mapper, clock } = await world();
    const mapping = await drive(clock, mapper.map(REQUEST));
    gateway.table.splice(0, 1, { ...THEIRS, externalPort: 5000, lease: 0 });
    const renewed = await drive(clock, mapper.renew(mapping));
    expect(renewed.external.port).not.toBe(5000);
    expect(gateway.table[0]).toMatchObject(THEIRS);
  });

  it('of equal ports is what a gateway gets that insists on them (724)', async () => {
    const { gateway, mapper, clock } = await world();
    gateway.refuse = (action, { NewExternalPort, NewInternalPort }) =>
      action === 'AddPortMapping' && NewExternalPort !== NewInternalPort ? 724 : undefined;
    expect((await drive(clock, mapper.map({ ...REQUEST, externalPort: 6000 }))).external.port).toBe(5000);
  });

  it('keeps a description in plain characters behind our word', async () => {
    const { gateway, mapper, clock } = await world();
    await drive(clock, mapper.map({ ...REQUEST, description: '<b>chat</b> & more \u0007' }));
    expect(gateway.table[0]?.description).toBe('sallyport b chat /b more');
  });
});

describe('a refusal', () => {
  it.each([
    [606, 'ERR_MAPPING_REFUSED', '606 ActionNotAuthorized'],
    [402, 'ERR_MAPPING_REFUSED', '402 InvalidArgs'],
    [501, 'ERR_MAPPING_REFUSED', '501 ActionFailed'],
    [728, 'ERR_MAPPING_EXHAUSTED', '728 NoPortMapsAvailable'],
    [899, 'ERR_MAPPING_REFUSED', '899 No'],
  ])('by %d is %s', async (fault, code, result) => {
    const { gateway, mapper, clock } = await world();
    gateway.refuse = (action) => (action === 'AddPortMapping' ? fault : undefined);
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code, result, fault });
  });

  it.each([718, 729])('by %d whatever the port ends after a few ports', async (fault) => {
    const { gateway, mapper, clock } = await world();
    gateway.refuse = (action) => (action === 'AddPortMapping' ? fault : undefined);
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_MAPPING_CONFLICT' });
    expect(gateway.asked.filter((action) => action === 'AddPortMapping')).toHaveLength(5);
  });

  it('of a port that is taken comes at once for who chose to fail, and says whose it is', async () => {
    const { gateway, mapper, clock } = await world();
    gateway.table.push({ ...THEIRS, externalPort: 5000, lease: 0 });
    await expect(drive(clock, mapper.map({ ...REQUEST, onConflict: 'fail' }))).rejects.toMatchObject({
      code: 'ERR_MAPPING_CONFLICT',
      message: expect.stringContaining('192.168.1.9:80 (a game)'),
    });
    expect(gateway.asked).not.toContain('AddPortMapping');
  });

  it.each(['', '0.0.0.0'])('is that the gateway has no address but "%s"', async (externalAddress) => {
    const { mapper, clock } = await world({ externalAddress });
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_MAPPING_REFUSED' });
  });

  it.each([
    { ...REQUEST, internalPort: 0 },
    { ...REQUEST, internalPort: 65_536 },
    { ...REQUEST, externalPort: 1.5 },
    { ...REQUEST, lifetime: 0 },
    { ...REQUEST, internalAddress: '2001:db8::1' },
  ])('of %o needs no gateway', async (request) => {
    const { mapper, lan } = await world();
    await expect(mapper.map(request)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(lan.sent).toBe(0);
  });
});

describe('the reach of a mapping', () => {
  it.each([
    ['11.0.0.1', 'internet'],
    ['100.64.0.5', 'carrier'],
    ['192.168.0.5', 'private'],
  ])('at %s is %s', async (externalAddress, reach) => {
    const { mapper, clock } = await world({ externalAddress });
    expect(await drive(clock, mapper.map(REQUEST))).toMatchObject({ reach });
  });
});

describe('the table', () => {
  it('is listed, others’ entries too', async () => {
    const { gateway, mapper, clock } = await world();
    gateway.table.push(
      { ...THEIRS, externalPort: 99, lease: 0 },
      { ...THEIRS, internalClient: 'tv.lan', externalPort: 1, lease: 0 },
    );
    await drive(clock, mapper.map(REQUEST));
    expect(await drive(clock, mapper.list!())).toEqual([
      {
        protocol: 'udp',
        externalPort: 99,
        internal: endpoint('192.168.1.9', 80),
        lifetime: 0,
        description: 'a game',
        enabled: true,
      },
      {
        protocol: 'udp',
        externalPort: 5000,
        internal: endpoint('127.0.0.1', 5000),
        lifetime: 3600,
        description: 'sallyport',
        enabled: true,
      },
    ]);
  });

  it('may be empty', async () => {
    const { mapper, clock } = await world();
    expect(await drive(clock, mapper.list!())).toEqual([]);
  });
});

describe('among several gateways', () => {
  it('the one on the default route is used at once', async () => {
    const [other, gateway] = [await startGateway({ address: '127.0.0.2' }), await startGateway()];
    const lan = loopbackNetwork({ answerers: [other, gateway] });
    const { mapper, clock } = mapperOn(lan);
    const mapping = await drive(clock, mapper.map(REQUEST));
    expect(mapping.gateway).toBe('127.0.0.1');
    expect(clock.now()).toBeLessThan(1_500);
  });

  it('a connected one is preferred to a disconnected one on the default route', async () => {
    const [other, gateway] = [
      await startGateway({ address: '127.0.0.2' }),
      await startGateway({ status: 'Disconnected' }),
    ];
    const { mapper, clock } = mapperOn(loopbackNetwork({ answerers: [gateway, other] }));
    expect((await drive(clock, mapper.map(REQUEST))).gateway).toBe('127.0.0.2');
  });

  it('a dead interface is no hindrance', async () => {
    const gateway = await startGateway();
    const lan = loopbackNetwork({ answerers: [gateway], interfaces: ['10.9.9.9', '127.0.0.1'], gateways: [] });
    const { network } = lan;
    const udp: typeof network.udp = (options) =>
      options.address === '10.9.9.9' ? Promise.reject(new Error('ENETDOWN')) : network.udp(options);
    const { mapper, clock } = mapperOn({ ...lan, network: { ...network, udp } });
    expect((await drive(clock, mapper.map(REQUEST))).gateway).toBe('127.0.0.1');
  });

  it('the service that is connected is chosen', async () => {
    const { gateway, mapper, clock } = await world();
    const ppp = 'urn:schemas-upnp-org:service:WANPPPConnection:1';
    gateway.description = () =>
      descriptionOf(gateway.service, '/dead').replace(
        '</serviceList>\n</device>',
        `<service><serviceType>${ppp}</serviceType><controlURL>live?a=1&amp;b=2</controlURL></service></serviceList>\n</device>`,
      );
    gateway.intercept = ({ url }) => {
      gateway.status = url === '/dead' ? 'Disconnected' : 'Connected';
      return false;
    };
    const mapping = await drive(clock, mapper.map(REQUEST));
    expect(mapping.handle).toMatchObject({ service: ppp, controlUrl: `${gateway.origin}/live?a=1&b=2` });
  });
});

describe('without a gateway', () => {
  it('the search ends after 1.5 s with ERR_MAPPING_UNAVAILABLE, its sockets closed', async () => {
    const lan = loopbackNetwork({ answerers: [] });
    const { mapper, clock } = mapperOn(lan);
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(clock.now()).toBeGreaterThanOrEqual(1_500);
    expect(clock.now()).toBeLessThan(1_600);
    expect(lan.sent).toBe(30); // 3 times 5 targets, by multicast and to the default gateway
    expect(lan.openSockets).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('it ends at once where nothing can be sent', async () => {
    const { mapper, clock } = mapperOn(loopbackNetwork({ answerers: [], interfaces: [] }));
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(clock.now()).toBe(0);
  });
});

describe('an abort', () => {
  it('before the call keeps the network silent', async () => {
    const { mapper, lan } = await world();
    await expect(mapper.map(REQUEST, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(lan.sent).toBe(0);
  });

  it('during a search ends the call', async () => {
    const { mapper } = mapperOn(loopbackNetwork({ answerers: [] }));
    const abort = new AbortController();
    const mapping = mapper.map(REQUEST, { signal: abort.signal });
    abort.abort();
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('while the gateway maps leaves no mapping', async () => {
    const { gateway, mapper, clock } = await world();
    const abort = new AbortController();
    const removed = new Promise<void>((resolve) => {
      gateway.intercept = (_request, _response, action) => {
        if (action === 'AddPortMapping') queueMicrotask(() => abort.abort());
        if (action === 'DeletePortMapping') resolve();
        return false;
      };
    });
    const mapping = mapper.map(REQUEST, { signal: abort.signal });
    await expect(drive(clock, mapping)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await drive(clock, removed);
    await mapper.close();
    expect(gateway.table).toEqual([]);
  });

  it('of a renewal leaves the mapping', async () => {
    const { gateway, mapper, clock } = await world();
    const mapping = await drive(clock, mapper.map(REQUEST));
    const abort = new AbortController();
    gateway.intercept = (_request, _response, action) => {
      if (action === 'AddPortMapping') queueMicrotask(() => abort.abort());
      return false;
    };
    const renewal = mapper.renew(mapping, { signal: abort.signal });
    await expect(drive(clock, renewal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await mapper.close();
    expect(gateway.table).toHaveLength(1);
  });
});

describe('closing', () => {
  it('ends calls under way and those to come, and all sockets', async () => {
    const { mapper, clock, lan, gateway } = await world();
    await drive(clock, mapper.map(REQUEST));
    gateway.intercept = () => true;
    const renewal = mapper.list!();
    await mapper.close();
    await expect(renewal).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(lan.openSockets).toBe(0);
    expect(clock.pending).toBe(0);
    expect(gateway.table).toHaveLength(1);
  });
});

describe('closing during a search', () => {
  it('ends it, and its sockets', async () => {
    const lan = loopbackNetwork({ answerers: [] });
    const { mapper, clock } = mapperOn(lan);
    const mapping = mapper.map(REQUEST);
    while (lan.sent === 0) await setImmediate();
    await mapper.close();
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(lan.openSockets).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('a restart of the gateway', () => {
  async function mapped(): Promise<World & { restarts: GatewayRestart[]; mapping: Mapping }> {
    const here = await world();
    const restarts: GatewayRestart[] = [];
    here.mapper.restarts$.subscribe((restart) => restarts.push(restart));
    const mapping = await drive(here.clock, here.mapper.map(REQUEST));
    here.clock.advance(60_000);
    return { ...here, restarts, mapping };
  }

  it('is told by a new boot id, once', async () => {
    const { gateway, lan, restarts } = await mapped();
    expect(lan.joined).toEqual(['239.255.255.250 at 127.0.0.1']);
    lan.notify(gateway.notification('ssdp:alive'), gateway.address);
    expect(restarts).toEqual([]);
    for (let i = 0; i < 4; i++) lan.notify(gateway.notification('ssdp:alive', '2'), gateway.address);
    expect(restarts).toEqual([{ gateway: '127.0.0.1' }]);
  });

  it('is told by a farewell and a return', async () => {
    const { gateway, lan, restarts } = await mapped();
    lan.notify(gateway.notification('ssdp:byebye'), gateway.address);
    expect(restarts).toEqual([]);
    lan.notify(gateway.notification('ssdp:alive'), gateway.address);
    expect(restarts).toEqual([{ gateway: '127.0.0.1' }]);
  });

  it('is not believed to others, nor to other devices at its address, nor all the time', async () => {
    const { gateway, lan, restarts } = await mapped();
    lan.notify(gateway.notification('ssdp:alive', '2'), '127.0.0.66');
    lan.notify(gateway.notification('ssdp:alive', '2').replaceAll(gateway.service, 'upnp:rootdevice'), gateway.address);
    lan.notify('NOTIFY nonsense', gateway.address);
    expect(restarts).toEqual([]);
    for (let i = 0; i < 100; i++) lan.notify(gateway.notification('ssdp:alive', `3${i}`), gateway.address);
    expect(restarts).toHaveLength(1);
  });

  it('to another HTTP port is followed', async () => {
    const { gateway, clock, mapping } = await mapped();
    const lan = loopbackNetwork({ answerers: [await startGateway()] });
    await gateway.stop();
    releases.splice(0, 1);
    const later = mapperOn(lan);
    expect((await drive(later.clock, later.mapper.renew(mapping))).external).toEqual(mapping.external);
    expect(clock.pending).toBe(0);
  });
});
