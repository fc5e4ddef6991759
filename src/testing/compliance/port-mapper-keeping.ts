import { firstValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import type { GatewayRestart, Mapping } from '../../core/port-mapper.ts';
import { doneOr, entryOf, type PortMapperBench, REQUEST } from './port-mapper-world.ts';
import type { Test } from './suite.ts';

/** How mappings are kept and released, and what becomes of those of others. */
export function keepingTests(test: Test<PortMapperBench>): void {
  test('renews where the mapping is', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map({ ...REQUEST, externalPort: 6000 });
    const renewed = await mapper.renew(mapping);
    expect(renewed).toMatchObject({ via: world.via, internal: mapping.internal, external: mapping.external });
    expect(renewed.goodUntil).toBeGreaterThan(mapping.goodUntil - 2_000); // gateways count whole seconds
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('renews and releases what was stored as JSON and is given to a later port mapper', async ({ world }) => {
    const first = await world.open();
    const stored = JSON.stringify(await first.map({ ...REQUEST, externalPort: 6000 }));
    await first.close();
    const later = await world.open();
    const renewed = await later.renew(JSON.parse(stored));
    expect(renewed.external.port).toBe(6000);
    expect(await world.gateway.table()).toEqual([entryOf(renewed)]);
    await later.release(JSON.parse(stored));
    expect(await world.gateway.table()).toEqual([]);
  });

  test('tells of a gateway that has lost its mappings, at the next renewal at the latest, which makes them again', async ({
    world,
  }) => {
    const mapper = await world.open();
    const restarts: GatewayRestart[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await world.gateway.mature();
    const mapping = await mapper.map(REQUEST);
    await world.gateway.restart();
    expect(await world.gateway.table()).toEqual([]);
    const renewed = await mapper.renew(mapping);
    expect(await world.gateway.table()).toEqual([entryOf(renewed)]);
    expect(new Set(restarts)).toEqual(new Set([{ gateway: world.gateway.address }]));
  });

  test('releases, and again what is released', async ({ world }) => {
    const mapper = await world.open();
    const mappings: Mapping[] = [];
    for (const protocol of ['udp', 'tcp'] as const) {
      mappings.push(await mapper.map({ ...REQUEST, protocol }));
    }
    await mapper.release(mappings[0]!);
    expect(await world.gateway.table()).toEqual([entryOf(mappings[1]!)]);
    await mapper.release(mappings[0]!);
    await mapper.release(mappings[1]!);
    expect(await world.gateway.table()).toEqual([]);
  });

  test('releases what the gateway has lost', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    await world.gateway.restart();
    await mapper.release(mapping);
    expect(await world.gateway.table()).toEqual([]);
  });

  test('leaves to others what is theirs, also a port that was ours', async ({ world }) => {
    await world.gateway.occupy('tcp', 5000);
    await world.gateway.occupy('udp', 5001);
    const theirs = await world.gateway.table();
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    await mapper.renew(mapping);
    await mapper.release(mapping);
    expect(await world.gateway.table()).toEqual(theirs);
    await world.gateway.occupy('udp', 5000);
    await mapper.release(mapping);
    expect(await world.gateway.table()).toHaveLength(3);
  });

  test('ends with ERR_CLOSED what waits for a silent gateway when it is closed', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    await world.gateway.silence();
    const waiting = [mapper.renew(mapping), mapper.map({ ...REQUEST, internalPort: 5001 })];
    const ended = Promise.all(waiting.map((call) => expect(call).rejects.toMatchObject({ code: 'ERR_CLOSED' })));
    await mapper.close();
    await ended;
  });

  test('keeps the mappings when it is closed, and does nothing more', async ({ world }) => {
    const mapper = await world.open();
    const restarts = firstValueFrom(mapper.restarts$.pipe(toArray()));
    const mapping = await mapper.map(REQUEST);
    const renewing = doneOr('ERR_CLOSED', mapper.renew(mapping));
    await mapper.close();
    await renewing;
    expect(await restarts).toEqual([]);
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(mapper.release(mapping)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await mapper.close();
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });
}
