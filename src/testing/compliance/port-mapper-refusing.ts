import { expect } from 'vitest';
import type { Mapping, MappingRequest } from '../../core/port-mapper.ts';
import { entryOf, type PortMapperBench, type PortMapperWorld, REQUEST } from './port-mapper-world.ts';
import type { Test } from './suite.ts';

/** What is refused, and how soon a call gives up. */
export function refusingTests(test: Test<PortMapperBench>): void {
  test('says ERR_MAPPING_UNAVAILABLE within its budget when nobody answers', async ({ world }) => {
    await world.gateway.silence();
    const mapper = await world.open();
    expect(await failure(world, () => mapper.map(REQUEST))).toBe('ERR_MAPPING_UNAVAILABLE');
  });

  test('gives up within its budget a gateway that has fallen silent', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    await world.gateway.silence();
    const given = ['ERR_TIMEOUT', 'ERR_MAPPING_UNAVAILABLE'];
    const calls = [() => mapper.renew(mapping), () => mapper.release(mapping)];
    for (const code of await Promise.all(calls.map((call) => failure(world, call)))) expect(given).toContain(code);
  });

  test('says ERR_USAGE to what is out of range, and asks nobody', async ({ world }) => {
    const mapper = await world.open();
    const wrong: readonly Partial<MappingRequest>[] = [
      { internalPort: 0 },
      { internalPort: 65_536 },
      { internalPort: 1.5 },
      { externalPort: 0 },
      { lifetime: 0 },
      { lifetime: 2 ** 32 },
      { internalAddress: 'localhost' },
    ];
    for (const one of wrong) {
      const mapping = mapper.map({ ...REQUEST, ...one });
      await expect(mapping, JSON.stringify(one)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    }
    expect(await world.gateway.table()).toEqual([]);
  });

  test('says ERR_USAGE to a mapping of another adapter, and leaves it', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    const foreign: Mapping = { ...mapping, via: world.via === 'pcp' ? 'nat-pmp' : 'pcp' };
    await expect(mapper.renew(foreign)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(mapper.release(foreign)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });
}

/** The code by which a call fails; fails the test when that takes more than the world's budget. */
async function failure(world: PortMapperWorld, call: () => Promise<unknown>): Promise<string> {
  const start = world.clock.now();
  const code = await call().then(
    () => 'none',
    (error: { readonly code: string }) => error.code,
  );
  expect(world.clock.now() - start).toBeLessThanOrEqual(world.budget);
  return code;
}
