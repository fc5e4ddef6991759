import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { createNatUpnpMapper } from '../../../src/adapters/port-mapper/nat-upnp/natupnp-mapper.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { MappingRequest, PortMapper } from '../../../src/core/port-mapper.ts';
import { manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { FakeGateway, type FakeGatewayOptions } from './fake-gateway.ts';
import { loopbackNetwork } from './loopback-network.ts';
import { withLocation } from './nat-upnp-package.ts';

/** The package itself runs here, in its thread, against a gateway on loopback; only its search is told what to find. */
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function world(options?: FakeGatewayOptions): Promise<{ gateway: FakeGateway; mapper: PortMapper }> {
  const gateway = await FakeGateway.start(options);
  releases.push(() => gateway.stop());
  return { gateway, mapper: mapperOf(withLocation(gateway.location())) };
}

function mapperOf(module: string, clock: Clock = systemClock()): PortMapper {
  const { network } = loopbackNetwork({ answerers: [] });
  const environment = { network, clock, random: seededRandom(3), log: () => {} };
  const mapper = createNatUpnpMapper(environment, { timeout: 10_000, module });
  releases.push(() => mapper.close());
  return mapper;
}

const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };

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

describe('a gateway', () => {
  it('that granted what nobody waits for any more is asked to take it back', async () => {
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
