import { describe, expect, it } from 'vitest';
import { pcp } from '../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { SEARCH_TARGETS, SSDP_GROUP, SSDP_PORT } from '../../src/protocol/upnp/index.ts';
import { searchAnswer } from '../adapters/port-mapper/fake-gateway.ts';
import { GATEWAY, type GatewayWorld, gatewayWorld, REQUEST, withinCost } from './gateway-world.ts';

const TARGET = SEARCH_TARGETS[0];
const MANY = 10_000;

/** Somebody answers each search with all of this, before the gateway does. */
function saying(...said: readonly { text: string; from: string }[]) {
  return { answers: (search: string) => (search.includes(TARGET) ? said : []) };
}

/** The gateway falls silent, and others speak in its place. */
function silence({ igd }: GatewayWorld): void {
  igd.answers = () => [];
}

/** Of a device that the address itself would have. */
function answerOf(address: string, path = '/'): { text: string; from: string } {
  return { text: searchAnswer(TARGET, `http://${address}:8080${path}`, '1'), from: address };
}

/** UPnP and PCP ask at the same time, and both have a mapping. */
async function expectMappings(world: GatewayWorld): Promise<void> {
  const [upnp, other] = [world.mapper(upnpIgd()), world.mapper(pcp())];
  await withinCost(async () => {
    expect(await world.outcomes(upnp.map(REQUEST), other.map(REQUEST))).toEqual(['done', 'done']);
  });
}

describe('a crowd', () => {
  it('of forty devices that are silent over HTTP does not hold up the gateway of the default route', async () => {
    const world = await gatewayWorld();
    const { igd } = world;
    const honest = igd.answers.bind(igd);
    const crowd = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const device = await world.device({ address: `127.0.1.${1 + i}` });
        device.intercept = () => true;
        return device;
      }),
    );
    igd.answers = (search) => [...crowd.flatMap((device) => device.answers(search)), ...honest(search)];
    await expectMappings(world);
    expect(world.clock.now()).toBeLessThan(1_500);
    expect(crowd.filter(({ asked }) => asked.length > 0).length).toBeLessThanOrEqual(32);
  });

  it('of ten that serve as gateways gives the one of the default route', async () => {
    const world = await gatewayWorld();
    const { igd } = world;
    const honest = igd.answers.bind(igd);
    const others = await Promise.all(
      Array.from({ length: 9 }, (_, i) => world.device({ address: `127.0.1.${1 + i}`, externalAddress: '11.0.0.66' })),
    );
    igd.answers = (search) => [...others.flatMap((device) => device.answers(search)), ...honest(search)];
    const mapping = await world.drive(world.mapper(upnpIgd()).map(REQUEST));
    expect(mapping.gateway).toBe(GATEWAY);
    expect(others.flatMap(({ table }) => table)).toEqual([]);
  });
});

describe('a flood of answers', () => {
  it('from as many addresses leads to 32 of them and to the gateway', async () => {
    const world = await gatewayWorld();
    const { igd } = world;
    const honest = igd.answers.bind(igd);
    const flood = Array.from({ length: MANY }, (_, i) => answerOf(`127.1.${i >> 8}.${i & 255}`));
    igd.answers = (search) => (search.includes(TARGET) ? [...flood, ...honest(search)] : []);
    await expectMappings(world);
    expect(new Set(world.called.map(({ address }) => address)).size).toBeLessThanOrEqual(33);
  });

  it('from one address leads to two descriptions there', async () => {
    const world = await gatewayWorld();
    silence(world);
    await world.answering(saying(...Array.from({ length: MANY }, (_, i) => answerOf('127.0.0.66', `/${i}`))));
    const upnp = world.mapper(upnpIgd());
    await withinCost(async () => expect(await world.outcomes(upnp.map(REQUEST))).not.toEqual(['done']));
    expect(world.called).toEqual([endpoint('127.0.0.66', 8080), endpoint('127.0.0.66', 8080)]);
  });

  it('with a field of blanks holds up nothing', async () => {
    const world = await gatewayWorld();
    const { igd } = world;
    const honest = igd.answers.bind(igd);
    const text = `HTTP/1.1 200 OK\r\nST: ${TARGET}\r\nX: ${' '.repeat(3_900)}\0\r\n\r\n`;
    const flood = Array.from({ length: 1_000 }, () => ({ text, from: '127.0.0.66' }));
    igd.answers = (search) => (search.includes(TARGET) ? [...flood, ...honest(search)] : []);
    await expectMappings(world);
  });

  it('that lead elsewhere is logged once', async () => {
    const world = await gatewayWorld();
    const { igd } = world;
    const honest = igd.answers.bind(igd);
    const text = searchAnswer(TARGET, 'http://127.0.0.1:8080/', '1');
    const flood = Array.from({ length: MANY }, () => ({ text, from: '127.0.0.66' }));
    igd.answers = (search) => (search.includes(TARGET) ? [...flood, ...honest(search)] : []);
    await expectMappings(world);
    expect(world.logged.get('upnp.dropped')).toBe(1);
  });
});

describe('an answer to a search', () => {
  it.each([
    ['a service on the loopback interface', 'http://127.0.0.1:8080/', '127.0.0.66'],
    ['a third host', 'http://127.0.0.67:8080/', '127.0.0.66'],
    ['a host by its name', 'http://localhost:8080/', '127.0.0.66'],
    ['a service that is not HTTP', 'http://127.0.0.66:25/', '127.0.0.66'],
    ['a service over TLS', 'https://127.0.0.66:8443/', '127.0.0.66'],
    ['a file', 'file:///etc/passwd', '127.0.0.66'],
    ['somebody with a password', 'http://admin:admin@127.0.0.66:8080/', '127.0.0.66'],
    ['a host of the internet in whose name it comes', 'http://192.0.2.66:8080/', '192.0.2.66'],
  ])('that leads to %s makes no connection', async (_what, location, from) => {
    const world = await gatewayWorld();
    silence(world);
    await world.answering(saying({ text: searchAnswer(TARGET, location, '1'), from }));
    expect(await world.outcomes(world.mapper(upnpIgd()).map(REQUEST))).toEqual(['ERR_MAPPING_UNAVAILABLE']);
    expect(world.called).toEqual([]);
  });
});

describe('notifications without end', () => {
  it('each with another boot id make at most one restart in 10 s', async () => {
    const world = await gatewayWorld();
    const upnp = world.mapper(upnpIgd());
    await world.drive(upnp.map(REQUEST));
    const restarts: number[] = [];
    upnp.restarts$.subscribe(() => restarts.push(world.clock.now()));
    await withinCost(async () => {
      for (let i = 0; i < MANY; i++) {
        const data = Buffer.from(world.igd.notification('ssdp:alive', String(i)));
        world.network.forge({ data, from: endpoint(GATEWAY, SSDP_PORT) }, endpoint(SSDP_GROUP, SSDP_PORT));
        world.clock.advance(3);
      }
    });
    expect(restarts.length).toBeGreaterThanOrEqual(3);
    expect(restarts.length).toBeLessThanOrEqual(4);
    expect(restarts.slice(1).every((at, i) => at - restarts[i]! >= 10_000)).toBe(true);
  });
});
