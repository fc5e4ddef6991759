import { expect } from 'vitest';
import { endpoint } from '../../core/endpoint.ts';
import { type MappingRequest, mappingReach } from '../../core/port-mapper.ts';
import { entryOf, type PortMapperBench, REQUEST } from './port-mapper-world.ts';
import type { Test } from './suite.ts';

/** How mappings are made, and which. */
export function makingTests(test: Test<PortMapperBench>): void {
  for (const protocol of ['udp', 'tcp'] as const) {
    test(`maps the ${protocol} port that it is asked for, and says what it is`, async ({ world }) => {
      const { gateway, host, via } = world;
      const request: MappingRequest = { protocol, internalPort: 5000, externalPort: 6000, lifetime: 600 };
      const mapping = await (await world.open()).map(request);
      expect(mapping).toMatchObject({
        via,
        protocol,
        internal: endpoint(host, 5000),
        external: endpoint(gateway.externalAddress, 6000),
        gateway: gateway.address,
        reach: mappingReach(gateway.externalAddress),
      });
      expect(mapping.lifetime).toBeGreaterThan(0);
      const left = mapping.goodUntil - mapping.renewAfter;
      expect(left).toBeGreaterThanOrEqual(mapping.lifetime * 375);
      expect(left).toBeLessThanOrEqual(mapping.lifetime * 500);
      expect(await gateway.table()).toEqual([entryOf(mapping)]);
    });
  }

  test('maps the same port outside as inside when it is told none', async ({ world }) => {
    const mapping = await (await world.open()).map({ protocol: 'tcp', internalPort: 8080 });
    expect(mapping.external.port).toBe(8080);
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('maps to the address of this host that it is told', async ({ world }) => {
    const mapping = await (await world.open()).map({ ...REQUEST, internalAddress: world.host });
    expect(mapping.internal).toEqual(endpoint(world.host, 5000));
  });

  test('maps several ports at once', async ({ world }) => {
    const mapper = await world.open();
    const requests = [5000, 5001].flatMap((internalPort) =>
      (['udp', 'tcp'] as const).map((protocol): MappingRequest => ({ protocol, internalPort })),
    );
    const mappings = await Promise.all(requests.map((request) => mapper.map(request)));
    expect(new Set(await world.gateway.table())).toEqual(new Set(mappings.map(entryOf)));
  });

  test('takes another port for one that is taken', async ({ world }) => {
    await world.gateway.occupy('udp', 5000);
    const [theirs] = await world.gateway.table();
    const mapping = await (await world.open()).map(REQUEST);
    expect(mapping.external.port).not.toBe(5000);
    expect(new Set(await world.gateway.table())).toEqual(new Set([theirs, entryOf(mapping)]));
  });

  test('takes a port whose other protocol is taken', async ({ world }) => {
    await world.gateway.occupy('tcp', 5000);
    const mapping = await (await world.open()).map(REQUEST);
    expect(mapping.external.port).toBe(5000);
    expect(await world.gateway.table()).toHaveLength(2);
  });

  test('fails for a port that is taken, where that is wished, and leaves nothing', async ({ world }) => {
    await world.gateway.occupy('udp', 5000);
    const before = await world.gateway.table();
    const mapper = await world.open();
    await expect(mapper.map({ ...REQUEST, onConflict: 'fail' })).rejects.toMatchObject({
      code: 'ERR_MAPPING_CONFLICT',
    });
    expect(await world.gateway.table()).toEqual(before);
    const free = await mapper.map({ ...REQUEST, externalPort: 6000, onConflict: 'fail' });
    expect(free.external.port).toBe(6000);
  });

  test('lists what the gateway maps, for whomever', async ({ world }) => {
    await world.gateway.occupy('tcp', 7000);
    const mapper = await world.open();
    const mapping = await mapper.map({ ...REQUEST, description: 'sallyport compliance' });
    const listed = await mapper.list!();
    expect(listed.map(({ protocol, externalPort, internal }) => ({ protocol, externalPort, internal }))).toEqual(
      expect.arrayContaining([...(await world.gateway.table())]),
    );
    const ours = listed.find(({ externalPort }) => externalPort === mapping.external.port);
    expect(ours).toMatchObject({ enabled: true, description: 'sallyport compliance' });
    expect(listed).toHaveLength(2);
  });
}
