import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../core/endpoint.ts';
import {
  type GatewayRestart,
  type Mapping,
  type MappingRequest,
  mappingReach,
  type PortMapper,
} from '../../core/port-mapper.ts';
import { entryOf, type PortMapperWorld } from './port-mapper-world.ts';

export interface PortMapperCompliance {
  readonly name: string;
  /** A fresh world with an empty table. */
  readonly create: () => Promise<PortMapperWorld>;
  /** Tests, by their titles, that cannot be held in this world. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** What every `PortMapper` owes its users, whatever it speaks and whatever gateway it has. */
export function portMapperCompliance({ name, create, skip = [] }: PortMapperCompliance): void {
  const reasons = new Map(skip.map(({ test, reason }) => [test, reason]));

  function test(title: string, body: (world: PortMapperWorld) => Promise<void>): void {
    const reason = reasons.get(title);
    reasons.delete(title);
    const run = async (): Promise<void> => {
      const world = await create();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    };
    if (reason === undefined) it(title, run);
    else it.skip(`${title} (${reason})`, run);
  }

  describe(`${name} as a port mapper`, () => {
    making(test);
    keeping(test);
    ending(test);
    refusing(test);
    if (reasons.size > 0) throw new Error(`there is no test to skip: ${[...reasons.keys()].join(', ')}`);
  });
}

type Test = (title: string, body: (world: PortMapperWorld) => Promise<void>) => void;

const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };

function making(test: Test): void {
  for (const protocol of ['udp', 'tcp'] as const) {
    test(`maps the ${protocol} port that it is asked for, and says what it is`, async (world) => {
      const { gateway, host, via } = world;
      const request: MappingRequest = { protocol, internalPort: 5000, externalPort: 6000, lifetime: 600 };
      const mapping = await mapOn(world, await world.open(), request);
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

  test('maps the same port outside as inside when it is told none', async (world) => {
    const mapping = await mapOn(world, await world.open(), { protocol: 'tcp', internalPort: 8080 });
    expect(mapping.external.port).toBe(8080);
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('maps to the address of this host that it is told', async (world) => {
    const mapping = await mapOn(world, await world.open(), { ...REQUEST, internalAddress: world.host });
    expect(mapping.internal).toEqual(endpoint(world.host, 5000));
  });

  test('maps several ports at once', async (world) => {
    const mapper = await world.open();
    const requests = [5000, 5001].flatMap((internalPort) =>
      (['udp', 'tcp'] as const).map((protocol): MappingRequest => ({ protocol, internalPort })),
    );
    const mappings = await world.settle(Promise.all(requests.map((request) => mapper.map(request))));
    expect(new Set(await world.gateway.table())).toEqual(new Set(mappings.map(entryOf)));
  });

  test('takes another port for one that is taken', async (world) => {
    await world.gateway.occupy('udp', 5000);
    const [theirs] = await world.gateway.table();
    const mapping = await mapOn(world, await world.open(), REQUEST);
    expect(mapping.external.port).not.toBe(5000);
    expect(new Set(await world.gateway.table())).toEqual(new Set([theirs, entryOf(mapping)]));
  });

  test('takes a port whose other protocol is taken', async (world) => {
    await world.gateway.occupy('tcp', 5000);
    const mapping = await mapOn(world, await world.open(), REQUEST);
    expect(mapping.external.port).toBe(5000);
    expect(await world.gateway.table()).toHaveLength(2);
  });

  test('fails for a port that is taken, where that is wished, and leaves nothing', async (world) => {
    await world.gateway.occupy('udp', 5000);
    const before = await world.gateway.table();
    const mapper = await world.open();
    await expect(mapOn(world, mapper, { ...REQUEST, onConflict: 'fail' })).rejects.toMatchObject({
      code: 'ERR_MAPPING_CONFLICT',
    });
    expect(await world.gateway.table()).toEqual(before);
    const free = await mapOn(world, mapper, { ...REQUEST, externalPort: 6000, onConflict: 'fail' });
    expect(free.external.port).toBe(6000);
  });

  test('lists what the gateway maps, for whomever', async (world) => {
    await world.gateway.occupy('tcp', 7000);
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, { ...REQUEST, description: 'sallyport compliance' });
    const listed = await world.settle(mapper.list!());
    expect(listed.map(({ protocol, externalPort, internal }) => ({ protocol, externalPort, internal }))).toEqual(
      expect.arrayContaining([...(await world.gateway.table())]),
    );
    const ours = listed.find(({ externalPort }) => externalPort === mapping.external.port);
    expect(ours).toMatchObject({ enabled: true, description: 'sallyport compliance' });
    expect(listed).toHaveLength(2);
  });
}

function keeping(test: Test): void {
  test('renews where the mapping is', async (world) => {
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, { ...REQUEST, externalPort: 6000 });
    const renewed = await world.settle(mapper.renew(mapping));
    expect(renewed).toMatchObject({ via: world.via, internal: mapping.internal, external: mapping.external });
    expect(renewed.goodUntil).toBeGreaterThan(mapping.goodUntil - 2_000); // gateways count whole seconds
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('renews and releases what was stored as JSON and is given to a later port mapper', async (world) => {
    const first = await world.open();
    const stored = JSON.stringify(await mapOn(world, first, { ...REQUEST, externalPort: 6000 }));
    await world.settle(closed(first));
    const later = await world.open();
    const renewed = await world.settle(later.renew(JSON.parse(stored)));
    expect(renewed.external.port).toBe(6000);
    expect(await world.gateway.table()).toEqual([entryOf(renewed)]);
    await world.settle(later.release(JSON.parse(stored)));
    expect(await world.gateway.table()).toEqual([]);
  });

  test('tells of a gateway that has lost its mappings, at the next renewal at the latest, which makes them again', async (world) => {
    const mapper = await world.open();
    const restarts: GatewayRestart[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await world.gateway.mature();
    const mapping = await mapOn(world, mapper, REQUEST);
    await world.gateway.restart();
    expect(await world.gateway.table()).toEqual([]);
    const renewed = await world.settle(mapper.renew(mapping));
    expect(await world.gateway.table()).toEqual([entryOf(renewed)]);
    expect(new Set(restarts)).toEqual(new Set([{ gateway: world.gateway.address }]));
  });
}

function ending(test: Test): void {
  test('releases, and again what is released', async (world) => {
    const mapper = await world.open();
    const mappings: Mapping[] = [];
    for (const protocol of ['udp', 'tcp'] as const) {
      mappings.push(await mapOn(world, mapper, { ...REQUEST, protocol }));
    }
    await world.settle(mapper.release(mappings[0]!));
    expect(await world.gateway.table()).toEqual([entryOf(mappings[1]!)]);
    await world.settle(mapper.release(mappings[0]!));
    await world.settle(mapper.release(mappings[1]!));
    expect(await world.gateway.table()).toEqual([]);
  });

  test('releases what the gateway has lost', async (world) => {
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, REQUEST);
    await world.gateway.restart();
    await world.settle(mapper.release(mapping));
    expect(await world.gateway.table()).toEqual([]);
  });

  test('leaves to others what is theirs, also a port that was ours', async (world) => {
    await world.gateway.occupy('tcp', 5000);
    await world.gateway.occupy('udp', 5001);
    const theirs = await world.gateway.table();
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, REQUEST);
    await world.settle(mapper.renew(mapping));
    await world.settle(mapper.release(mapping));
    expect(await world.gateway.table()).toEqual(theirs);
    await world.gateway.occupy('udp', 5000);
    await world.settle(mapper.release(mapping));
    expect(await world.gateway.table()).toHaveLength(3);
  });

  test('does nothing for an aborted signal', async (world) => {
    const mapper = await world.open();
    const mapping = mapper.map(REQUEST, { signal: AbortSignal.abort() });
    await expect(world.settle(mapping)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await world.gateway.table()).toEqual([]);
  });

  test('has a mapping or leaves none, whenever it is aborted', async (world) => {
    for (const turns of [1, 4, 16, 64, 256]) {
      let left = turns;
      await abortedMap(world, async () => left-- > 0);
    }
    await abortedMap(world, async () => (await world.gateway.table()).length === 0);
  });

  test('keeps the mapping when a renewal is aborted', async (world) => {
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, REQUEST);
    const abort = new AbortController();
    const renewing = mapper.renew(mapping, { signal: abort.signal });
    abort.abort();
    await expect(world.settle(renewing)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await world.settle(closed(mapper));
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('ends with ERR_CLOSED what is under way when it is closed, and keeps the mappings', async (world) => {
    const mapper = await world.open();
    const restarts = firstValueFrom(mapper.restarts$.pipe(toArray()));
    const mapping = await mapOn(world, mapper, REQUEST);
    const renewing = expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    const making = expect(mapper.map({ ...REQUEST, internalPort: 5001 })).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await world.settle(closed(mapper));
    await Promise.all([renewing, making]);
    expect(await restarts).toEqual([]);
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(mapper.release(mapping)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await world.settle(closed(mapper));
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });
}

function refusing(test: Test): void {
  test('says ERR_MAPPING_UNAVAILABLE within its budget when nobody answers', async (world) => {
    await world.gateway.silence();
    const mapper = await world.open();
    expect(await failure(world, () => mapper.map(REQUEST))).toBe('ERR_MAPPING_UNAVAILABLE');
  });

  test('gives up within its budget a gateway that has fallen silent', async (world) => {
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, REQUEST);
    await world.gateway.silence();
    const given = ['ERR_TIMEOUT', 'ERR_MAPPING_UNAVAILABLE'];
    const calls = [() => mapper.renew(mapping), () => mapper.release(mapping)];
    for (const code of await Promise.all(calls.map((call) => failure(world, call)))) expect(given).toContain(code);
  });

  test('says ERR_USAGE to what is out of range, and asks nobody', async (world) => {
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
      const mapping = world.settle(mapper.map({ ...REQUEST, ...one }));
      await expect(mapping, JSON.stringify(one)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    }
    expect(await world.gateway.table()).toEqual([]);
  });

  test('says ERR_USAGE to a mapping of another adapter, and leaves it', async (world) => {
    const mapper = await world.open();
    const mapping = await mapOn(world, mapper, REQUEST);
    const foreign: Mapping = { ...mapping, via: world.via === 'pcp' ? 'nat-pmp' : 'pcp' };
    await expect(world.settle(mapper.renew(foreign))).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(world.settle(mapper.release(foreign))).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });
}

function mapOn(world: PortMapperWorld, mapper: PortMapper, request: MappingRequest): Promise<Mapping> {
  return world.settle(mapper.map(request));
}

async function closed(mapper: PortMapper): Promise<void> {
  await mapper.close();
}

/** The code by which a call fails; fails the test when that takes more than the world's budget. */
async function failure(world: PortMapperWorld, call: () => Promise<unknown>): Promise<string> {
  const start = world.clock.now();
  const code = await world.settle(
    call().then(
      () => 'none',
      (error: { readonly code: string }) => error.code,
    ),
  );
  expect(world.clock.now() - start).toBeLessThanOrEqual(world.budget);
  return code;
}

/** Asks for a mapping, aborts as soon as it is not too early or the call has ended, and holds the outcome against the gateway's table. */
async function abortedMap(world: PortMapperWorld, tooEarly: () => Promise<boolean>): Promise<void> {
  const mapper = await world.open();
  const abort = new AbortController();
  let pending = true;
  const outcome = mapper
    .map(REQUEST, { signal: abort.signal })
    .then(
      (made) => ({ made }),
      (error: { readonly code: string }) => ({ code: error.code }),
    )
    .finally(() => {
      pending = false;
    });
  const turn = (): Promise<void> => new Promise((resolve) => world.clock.setTimeout(resolve, 0));
  const moment = async (): Promise<void> => {
    while (pending && (await tooEarly())) await turn();
  };
  await world.settle(moment());
  abort.abort();
  const ended = await world.settle(outcome);
  if ('made' in ended) {
    expect(await world.gateway.table()).toEqual([entryOf(ended.made)]);
    await world.settle(mapper.release(ended.made));
  } else {
    expect(ended.code).toBe('ERR_ABORTED');
    await world.settle(closed(mapper));
    await expect.poll(() => world.gateway.table(), { interval: 5, timeout: 5_000 }).toEqual([]);
  }
}
