import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/adapters/node/clock.ts';
import { createNatUpnpMapper } from '../../src/adapters/port-mapper/nat-upnp/natupnp-mapper.ts';
import type { Clock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import type { PortMapper } from '../../src/core/port-mapper.ts';
import { FakeGateway, soapAnswer } from '../adapters/port-mapper/fake-gateway.ts';
import { memoryNetwork } from '../adapters/port-mapper/memory-network.ts';
import { WITHOUT_LOCATION, withLocation } from '../adapters/port-mapper/nat-upnp-package.ts';
import { manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { type Answer, WRONG_HTTP } from './gateway-answers.ts';
import { REQUEST, withinCost } from './gateway-world.ts';

/** The package itself, in its threads, against a gateway on loopback: what it does not withstand ends a thread, and nothing else. */

async function startGateway(): Promise<FakeGateway> {
  const gateway = await FakeGateway.start();
  onTestFinished(() => gateway.stop());
  return gateway;
}

function mapperOf(module: string, clock: Clock = systemClock()): PortMapper {
  const environment = { network: memoryNetwork(), clock, random: seededRandom(3), log: silentLog };
  const mapper = createNatUpnpMapper(environment, { timeout: 10_000, module });
  onTestFinished(async () => mapper.close());
  return mapper;
}

/** The attack instead of each answer that it is for. */
function attack(gateway: FakeGateway, attacked: (action: string | undefined) => boolean, answer: Answer): void {
  gateway.intercept = (_request, response, action) => {
    if (!attacked(action)) return false;
    answer(response);
    return true;
  };
}

const isDescription = (action: string | undefined): boolean => action === undefined;
const isAnswer = (action: string | undefined): boolean => action !== undefined;

/** Those of a kind of their own to the package; the others come to one of these. */
const HTTP = new Set(['has no end', 'has fields without end', 'is nothing']);

describe('nat-upnp', () => {
  it.each(WRONG_HTTP.filter(([what]) => HTTP.has(what)))(
    'told a description that %s is ERR_GATEWAY_PROTOCOL',
    async (_what, answer) => {
      const gateway = await startGateway();
      const mapper = mapperOf(withLocation(gateway.location()));
      attack(gateway, isDescription, answer);
      await withinCost(() => expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' }));
    },
  );

  it.each([
    ['of nothing', '', 'ERR_GATEWAY_PROTOCOL'],
    ['that is 20,000 elements deep', `${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}`, 'ERR_MAPPING_UNAVAILABLE'],
    ['of 4 MB', `<root>${'<a>b</a>'.repeat(500_000)}</root>`, 'ERR_MAPPING_UNAVAILABLE'],
  ])('told a description %s is an error with a code', async (_what, text, code) => {
    const gateway = await startGateway();
    const mapper = mapperOf(withLocation(gateway.location()));
    attack(gateway, isDescription, (response) => response.end(text));
    await withinCost(() => expect(mapper.map(REQUEST)).rejects.toMatchObject({ code }));
  });

  it.each([
    ['of nothing', ''],
    ['of another kind', '<a><b/></a>'],
    ['of 1 MB', soapAnswer('GetExternalIPAddress', 'x', { NewExternalIPAddress: '1'.repeat(2 ** 20) })],
  ])('told an answer %s is ERR_GATEWAY_PROTOCOL', async (_what, text) => {
    const gateway = await startGateway();
    const mapper = mapperOf(withLocation(gateway.location()));
    attack(gateway, isAnswer, (response) => response.end(text));
    await withinCost(() => expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' }));
  });

  it('told nonsense makes a mapping at the next call', async () => {
    const gateway = await startGateway();
    const mapper = mapperOf(withLocation(gateway.location()));
    attack(gateway, isAnswer, (response) => response.end('hello'));
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    gateway.intercept = () => false;
    expect(await mapper.map(REQUEST)).toMatchObject({ external: { port: 5000 } });
    expect(gateway.table).toHaveLength(1);
  });

  it('told no location by the answer to its search is ERR_GATEWAY_PROTOCOL', async () => {
    await expect(mapperOf(WITHOUT_LOCATION).map(REQUEST)).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
  });

  it('told nothing at all ends with the time of the call and so do its thread and connection', async () => {
    const gateway = await startGateway();
    const clock = manualClock();
    const mapper = mapperOf(withLocation(gateway.location()), clock);
    const asked = new Promise<void>((resolve) => {
      gateway.intercept = () => {
        resolve();
        return true;
      };
    });
    const rejected = expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await asked;
    clock.advance(9_999);
    expect(await gateway.connections()).toBe(1);
    clock.advance(1);
    await rejected;
    while ((await gateway.connections()) > 0) await setImmediate();
    expect(clock.pending).toBe(0);
  });

  it('told nothing at all ends with the patience of the caller and with the mapper', async () => {
    const gateway = await startGateway();
    gateway.intercept = () => true;
    const mapper = mapperOf(withLocation(gateway.location()));
    const abort = new AbortController();
    const [first, second] = [mapper.map(REQUEST, { signal: abort.signal }), mapper.list!()];
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const closing = mapper.close();
    await expect(second).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await closing;
    await expect(mapper.map(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});
