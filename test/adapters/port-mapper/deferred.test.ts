import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred } from '../../../src/adapters/port-mapper/deferred.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { GatewayRestart } from '../../../src/core/port-mapper.ts';
import { manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { fakeMapper } from './fake-mapper.ts';
import { memoryNetwork } from './memory-network.ts';

function world() {
  const fake = fakeMapper('upnp-igd');
  let loads = 0;
  const environment = { network: memoryNetwork(), clock: manualClock(), random: seededRandom(1), log: silentLog };
  const mapper = deferred('upnp-igd', async () => {
    loads++;
    return fake.factory;
  })(environment);
  onTestFinished(() => mapper.close());
  return { fake, mapper, loads: () => loads };
}

const request = { protocol: 'tcp', internalPort: 8080 } as const;

describe('a deferred port mapper', () => {
  it('loads with the first call, once', async () => {
    const { fake, mapper, loads } = world();
    expect([mapper.name, loads(), fake.open]).toEqual(['upnp-igd', 0, 0]);
    const mapping = await mapper.map(request);
    await mapper.release(await mapper.renew(mapping));
    expect(fake.calls).toEqual(['map tcp 8080', 'renew tcp 8080', 'release tcp 8080']);
    expect([loads(), fake.open]).toEqual([1, 1]);
  });

  it('tells of restarts, and of none once closed', async () => {
    const { fake, mapper } = world();
    const restarts: GatewayRestart[] = [];
    let isComplete = false;
    mapper.restarts$.subscribe({ next: (restart) => restarts.push(restart), complete: () => (isComplete = true) });
    await mapper.map(request);
    fake.restart();
    expect(restarts).toEqual([{ gateway: fake.gateway }]);
    await mapper.close();
    expect([isComplete, fake.open]).toEqual([true, 0]);
  });

  it('passes on why a call fails, and the signal that ends it', async () => {
    const { fake, mapper } = world();
    fake.answer = () => Promise.reject(new Error('no'));
    await expect(mapper.map(request)).rejects.toThrow('no');
    fake.answer = () => new Promise(() => {});
    const stop = new AbortController();
    const call = mapper.map(request, { signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('is never loaded once closed', async () => {
    const { mapper, loads } = world();
    await mapper.close();
    await expect(mapper.map(request)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(loads()).toBe(0);
  });
});
