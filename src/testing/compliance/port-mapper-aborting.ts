import { expect } from 'vitest';
import { pause } from '../../core/pause.ts';
import { doneOr, entryOf, type PortMapperBench, type PortMapperWorld, REQUEST } from './port-mapper-world.ts';
import type { Test } from './suite.ts';

/** What is left of calls that are aborted. */
export function abortingTests(test: Test<PortMapperBench>): void {
  test('does nothing for an aborted signal', async ({ world }) => {
    const mapper = await world.open();
    const mapping = mapper.map(REQUEST, { signal: AbortSignal.abort() });
    await expect(mapping).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await world.gateway.table()).toEqual([]);
  });

  test('has a mapping or leaves none, whenever it is aborted', async ({ world }) => {
    for (const turns of [1, 4, 16, 64, 256]) {
      let left = turns;
      await abortedMap(world, async () => left-- > 0);
    }
    await abortedMap(world, async () => (await world.gateway.table()).length === 0);
  });

  test('keeps the mapping when a renewal is aborted', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    const abort = new AbortController();
    const renewing = doneOr('ERR_ABORTED', mapper.renew(mapping, { signal: abort.signal }));
    abort.abort();
    await renewing;
    await mapper.close();
    expect(await world.gateway.table()).toEqual([entryOf(mapping)]);
  });

  test('ends at once what waits for a silent gateway and is aborted', async ({ world }) => {
    const mapper = await world.open();
    const mapping = await mapper.map(REQUEST);
    await world.gateway.silence();
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const waiting = [mapper.renew(mapping, options), mapper.map({ ...REQUEST, internalPort: 5001 }, options)];
    const ended = Promise.all(waiting.map((call) => expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' })));
    const since = world.clock.now();
    abort.abort();
    await ended;
    expect(world.clock.now() - since).toBeLessThan(world.budget);
  });
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
  while (pending && (await tooEarly())) await pause(world.clock, 1);
  abort.abort();
  const ended = await outcome;
  if ('made' in ended) {
    expect(await world.gateway.table()).toEqual([entryOf(ended.made)]);
    await mapper.release(ended.made);
  } else {
    expect(ended.code).toBe('ERR_ABORTED');
    await mapper.close();
    const latest = world.clock.now() + 5_000;
    while (world.clock.now() < latest && (await world.gateway.table()).length > 0) await pause(world.clock, 5);
    expect(await world.gateway.table()).toEqual([]);
  }
}
