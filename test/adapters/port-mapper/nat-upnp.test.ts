import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { createNatUpnpMapper } from '../../../src/adapters/port-mapper/nat-upnp/natupnp-mapper.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { GatewayRestart, MappingRequest, PortMapper } from '../../../src/core/port-mapper.ts';
import { manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { FakeGateway, type FakeGatewayOptions } from './fake-gateway.ts';
import { loopbackNetwork } from './loopback-network.ts';

/** The package itself runs here, in its thread, against a gateway on loopback; only its search is told what to find. */
const PACKAGE = new URL('./fixtures/nat-upnp.mjs', import.meta.url);

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function world(options?: FakeGatewayOptions): Promise<{ gateway: FakeGateway; mapper: PortMapper }> {
  const gateway = await FakeGateway.start(options);
  releases.push(() => gateway.stop());
  return { gateway, mapper: mapperOf(withLocation(gateway.location())) };
}

function withLocation(location: string): string {
  return `${PACKAGE.href}?location=${encodeURIComponent(location)}`;
}

function mapperOf(module: string, clock: Clock = systemClock()): PortMapper {
  const { network } = loopbackNetwork({ answerers: [] });
  const environment = { network, clock, random: seededRandom(3), log: () => {} };
  const mapper = createNatUpnpMapper(environment, { timeout: 10_000, module });
  releases.push(() => mapper.close());
  return mapper;
}

const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };
const OURS = { protocol: 'udp', internalClient: '127.0.0.1', internalPort: 5000, description: 'sallyport' } as const;
const THEIRS = { protocol: 'udp', internalClient: '192.168.1.9', internalPort: 80, description: 'a game' } as const;

describe.each([1, 2] as const)('a gateway of version %d', (version) => {
  it('maps, renews, lists and removes', async () => {
    const { gateway, mapper } = await world({ version });
    const mapping = await mapper.map({ ...REQUEST, externalPort: 6000, lifetime: 600 });
    expect(mapping).toMatchObject({
      via: 'nat-upnp',
      internal: endpoint('127.0.0.1', 5000),
      external: endpoint('11.0.0.1', 6000),
      gateway: '127.0.0.1',
      lifetime: 600,
    });
    expect(gateway.table).toEqual([{ ...OURS, externalPort: 6000, lease: 600 }]);
    gateway.table[0]!.lease = 7;
    expect((await mapper.renew(mapping)).external).toEqual(mapping.external);
    expect(gateway.table).toEqual([{ ...OURS, externalPort: 6000, lease: 600 }]);
    expect(await mapper.list!()).toMatchObject([{ externalPort: 6000, internal: mapping.internal, lifetime: 600 }]);
    await mapper.release(mapping);
    await mapper.release(mapping);
    expect(gateway.table).toEqual([]);
    expect(await mapper.list!()).toEqual([]);
  });

  it('takes another port for one that is somebody else’s', async () => {
    const { gateway, mapper } = await world({ version });
    gateway.table.push({ ...THEIRS, externalPort: 5000, lease: 0 });
    await expect(mapper.map({ ...REQUEST, onConflict: 'fail' })).rejects.toMatchObject({
      code: 'ERR_MAPPING_CONFLICT',
    });
    expect((await mapper.map(REQUEST)).external.port).toBeGreaterThanOrEqual(49_152);
    expect(gateway.table).toMatchObject([THEIRS, OURS]);
  });
});

describe('a refusal', () => {
  it('of a lease is tried without end (725)', async () => {
    const { gateway, mapper } = await world();
    gateway.refuse = (action, { NewLeaseDuration }) =>
      action === 'AddPortMapping' && NewLeaseDuration !== '0' ? 725 : undefined;
    expect(await mapper.map(REQUEST)).toMatchObject({ lifetime: 0 });
  });

  it('of both is ERR_MAPPING_REFUSED, since its code is lost', async () => {
    const { gateway, mapper } = await world();
    gateway.refuse = (action) => (action === 'AddPortMapping' ? 606 : undefined);
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_MAPPING_REFUSED' });
  });
});

describe('a restart', () => {
  it('is found out by a renewal', async () => {
    const { gateway, mapper } = await world();
    const restarts: GatewayRestart[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    const mapping = await mapper.map(REQUEST);
    gateway.table.length = 0;
    await mapper.renew(mapping);
    expect(restarts).toEqual([{ gateway: '127.0.0.1' }]);
    expect(gateway.table).toHaveLength(1);
  });
});

describe('without', () => {
  it('the package it is ERR_NOT_AVAILABLE, with advice', async () => {
    await expect(mapperOf('nat-upnp-that-nobody-has').map(REQUEST)).rejects.toMatchObject({
      code: 'ERR_NOT_AVAILABLE',
      message: expect.stringContaining('npm install nat-upnp'),
    });
  });

  it('a gateway it is ERR_MAPPING_UNAVAILABLE', async () => {
    const mapping = mapperOf(withLocation('none')).map(REQUEST);
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
  });

  it('a service that maps ports it is ERR_MAPPING_UNAVAILABLE', async () => {
    const { gateway, mapper } = await world();
    gateway.description = () => '<?xml version="1.0"?><root><device><UDN>uuid:1</UDN></device></root>';
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
  });
});

describe('what the package throws from its callbacks', () => {
  it.each<[string, (gateway: FakeGateway) => void]>([
    ['for an empty description', (gateway) => Object.assign(gateway, { description: () => '' })],
    ['for an answer that is no XML', (gateway) => setAnswer(gateway, 'hello')],
    ['for an answer of nothing', (gateway) => setAnswer(gateway, '')],
    ['for an answer of another kind', (gateway) => setAnswer(gateway, '<a><b/></a>')],
  ])('%s is ERR_GATEWAY_PROTOCOL, and the next call works', async (_what, breakIt) => {
    const { gateway, mapper } = await world();
    const { description } = gateway;
    breakIt(gateway);
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    Object.assign(gateway, { description, intercept: () => false });
    expect(await mapper.map(REQUEST)).toMatchObject({ external: { port: 5000 } });
  });

  it('for an answer to its search without a location is ERR_GATEWAY_PROTOCOL', async () => {
    await expect(mapperOf(PACKAGE.href).map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
  });

  it('or reads without end is ERR_GATEWAY_PROTOCOL', async () => {
    const { gateway, mapper } = await world();
    gateway.intercept = (_request, response) => {
      const more = (): void => {
        while (response.socket?.writable && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
  });
});

describe('a gateway that is silent', () => {
  it('costs the whole time of a call, and its thread and connection then end', async () => {
    const gateway = await FakeGateway.start();
    releases.push(() => gateway.stop());
    const clock = manualClock();
    const mapper = mapperOf(withLocation(gateway.location()), clock);
    const asked = new Promise<void>((resolve) => {
      gateway.intercept = () => {
        resolve();
        return true;
      };
    });
    const mapping = mapper.map(REQUEST);
    const rejected = expect(mapping).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await asked;
    clock.advance(9_999);
    expect(await gateway.connections()).toBe(1);
    clock.advance(1);
    await rejected;
    while ((await gateway.connections()) > 0) await setImmediate();
    expect(clock.pending).toBe(0);
  });

  it('ends with the caller’s patience, or with the mapper', async () => {
    const { gateway, mapper } = await world();
    gateway.intercept = () => true;
    const abort = new AbortController();
    const [first, second] = [mapper.map(REQUEST, { signal: abort.signal }), mapper.list!()];
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const closing = mapper.close();
    await expect(second).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await closing;
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('when it is to map is asked to take it back', async () => {
    const gateway = await FakeGateway.start();
    releases.push(() => gateway.stop());
    const clock = manualClock();
    const mapper = mapperOf(withLocation(gateway.location()), clock);
    const abort = new AbortController();
    const removed = new Promise<void>((resolve) => {
      gateway.intercept = (_request, _response, action) => {
        if (action === 'AddPortMapping') abort.abort();
        if (action === 'DeletePortMapping') resolve();
        return false;
      };
    });
    await expect(mapper.map(REQUEST, { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await removed;
    await mapper.close();
    expect(gateway.table).toEqual([]);
  });
});

function setAnswer(gateway: FakeGateway, text: string): void {
  gateway.intercept = (_request, response, action) => {
    if (action === undefined) return false;
    response.end(text);
    return true;
  };
}
