import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { pcp } from '../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../src/adapters/port-mapper/upnp-igd/index.ts';
import { descriptionOf, type FakeEntry, soapAnswer } from '../adapters/port-mapper/fake-gateway.ts';
import { dripping, WRONG_HTTP, WRONG_SOAP, WRONG_XML } from './gateway-answers.ts';
import { type GatewayWorld, gatewayWorld, REQUEST, withinCost } from './gateway-world.ts';

/** Both protocols ask at the same time; PCP must have its mapping whatever is said over UPnP. Gives what UPnP came to. */
async function mapBeside(world: GatewayWorld): Promise<string | undefined> {
  const [upnp, other] = [world.mapper(upnpIgd()), world.mapper(pcp())];
  let outcomes: string[] = [];
  await withinCost(async () => {
    outcomes = await world.outcomes(upnp.map(REQUEST), other.map(REQUEST));
  });
  expect(outcomes[1]).toBe('done');
  expect(world.udp.table).toHaveLength(1);
  return outcomes[0];
}

const foreign: Omit<FakeEntry, 'externalPort'> = {
  protocol: 'udp',
  internalClient: '192.168.1.9',
  internalPort: 1,
  description: '',
  lease: 0,
};

describe('a description over HTTP', () => {
  it.each(WRONG_HTTP)('that %s is ERR_GATEWAY_PROTOCOL', async (_what, answer) => {
    const world = await gatewayWorld();
    world.igd.intercept = (_request, response) => {
      answer(response);
      return true;
    };
    expect(await mapBeside(world)).toBe('ERR_GATEWAY_PROTOCOL');
    expect(world.clock.now()).toBeLessThan(1_700);
  });

  it.each(WRONG_XML)('whose text %s is ERR_GATEWAY_PROTOCOL', async (_what, text) => {
    const world = await gatewayWorld();
    world.igd.description = () => text;
    expect(await mapBeside(world)).toBe('ERR_GATEWAY_PROTOCOL');
    expect(world.clock.now()).toBeLessThan(1_700);
  });

  it('elsewhere by a redirection is not fetched', async () => {
    const world = await gatewayWorld();
    const victim = await world.device({ address: '127.0.0.66' });
    world.igd.intercept = (_request, response) => {
      response.writeHead(302, { Location: victim.location() }).end();
      return true;
    };
    expect(await mapBeside(world)).toBe('ERR_GATEWAY_PROTOCOL');
    expect(victim.asked).toEqual([]);
  });

  it('that is another one each time is read once more and no further', async () => {
    const world = await gatewayWorld();
    let read = 0;
    world.igd.description = () => descriptionOf(world.igd.service, `/control-${++read}`);
    world.igd.intercept = (_request, response, action) => {
      if (action !== 'AddPortMapping') return false;
      response.writeHead(404).end();
      return true;
    };
    const upnp = world.mapper(upnpIgd());
    await withinCost(async () => {
      expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['ERR_GATEWAY_PROTOCOL']);
      expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['ERR_GATEWAY_PROTOCOL']);
    });
    expect(read).toBeLessThanOrEqual(3);
  });
});

describe('silence over HTTP', () => {
  it('costs one deadline of 3 s', async () => {
    const world = await gatewayWorld();
    world.igd.intercept = () => true;
    expect(await mapBeside(world)).toBe('ERR_TIMEOUT');
    expect(world.clock.now()).toBeLessThan(5_000);
    expect(world.clock.pending).toBe(0);
  });

  it('but for a byte now and then is silence', async () => {
    const world = await gatewayWorld();
    world.igd.intercept = (_request, response) => {
      void dripping(response);
      return true;
    };
    expect(await mapBeside(world)).toBe('ERR_TIMEOUT');
    expect(world.clock.now()).toBeLessThan(5_000);
  });

  it('when a port is to be mapped costs no more than the call may', async () => {
    const world = await gatewayWorld();
    world.igd.intercept = (_request, _response, action) => action === 'AddPortMapping';
    expect(await mapBeside(world)).toBe('ERR_TIMEOUT');
    expect(world.clock.now()).toBeLessThanOrEqual(10_100);
  });

  it('leaves a mapper that works and no connection', async () => {
    const world = await gatewayWorld();
    const upnp = world.mapper(upnpIgd());
    world.igd.intercept = () => true;
    expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['ERR_TIMEOUT']);
    world.igd.intercept = () => false;
    expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['done']);
    while ((await world.igd.connections()) > 0) await setImmediate();
    expect(world.clock.pending).toBe(0);
  });

  it('ends with the mapper that is closed meanwhile, which takes back what it asked for', async () => {
    const world = await gatewayWorld();
    const upnp = world.mapper(upnpIgd());
    let closing: Promise<void> | undefined;
    world.igd.intercept = (_request, _response, action) => {
      if (action !== 'AddPortMapping' || closing !== undefined) return false;
      closing = Promise.resolve(upnp.close());
      world.igd.table.push({ ...foreign, internalClient: '127.0.0.1', internalPort: 5000, externalPort: 5000 });
      return true;
    };
    expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['ERR_CLOSED']);
    await world.drive(closing!);
    expect(world.igd.table).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });
});

describe('an answer to an action', () => {
  it.each(WRONG_SOAP)('to GetExternalIPAddress that %s is ERR_GATEWAY_PROTOCOL', async (_what, body) => {
    const world = await gatewayWorld();
    world.igd.intercept = (_request, response, action) => {
      if (action !== 'GetExternalIPAddress') return false;
      response.end(body);
      return true;
    };
    expect(await mapBeside(world)).toBe('ERR_GATEWAY_PROTOCOL');
  });

  it.each([
    [606, 'ERR_MAPPING_REFUSED'],
    [718, 'ERR_MAPPING_CONFLICT'],
    [725, 'ERR_MAPPING_REFUSED'],
    [728, 'ERR_MAPPING_EXHAUSTED'],
  ])('of fault %d to every port is %s after a bounded number of tries', async (fault, code) => {
    const world = await gatewayWorld();
    world.igd.refuse = (action) => (action === 'AddPortMapping' ? fault : undefined);
    expect(await mapBeside(world)).toBe(code);
    expect(world.igd.asked.filter((asked) => asked === 'AddPortMapping').length).toBeLessThanOrEqual(6);
    expect(world.igd.table).toEqual([]);
  });

  it('that grants a port leading to somebody else is ERR_GATEWAY_PROTOCOL and that entry stays', async () => {
    const world = await gatewayWorld();
    const stolen = { ...foreign, externalPort: 5000 };
    world.igd.intercept = (_request, response, action) => {
      if (action !== 'AddPortMapping') return false;
      world.igd.table.splice(0, 1, { ...stolen });
      response.end(soapAnswer('AddPortMapping', world.igd.service, {}));
      return true;
    };
    expect(await mapBeside(world)).toBe('ERR_GATEWAY_PROTOCOL');
    expect(world.igd.table).toEqual([stolen]);
  });

  it('that says success while nothing is mapped is marked so in the mapping', async () => {
    const world = await gatewayWorld();
    world.igd.intercept = (_request, response, action) => {
      if (action !== 'AddPortMapping') return false;
      response.end(soapAnswer('AddPortMapping', world.igd.service, {}));
      return true;
    };
    const mapping = await world.drive(world.mapper(upnpIgd()).map(REQUEST));
    expect(mapping.handle.listed).toBe(0);
  });
});

describe('a table of mappings', () => {
  it('without end is ERR_GATEWAY_PROTOCOL after 1,024 entries', async () => {
    const world = await gatewayWorld();
    for (let i = 0; i < 1_500; i++) world.igd.table.push({ ...foreign, externalPort: 1 + i });
    const upnp = world.mapper(upnpIgd());
    await withinCost(async () => expect(await world.outcomes(upnp.list!())).toEqual(['ERR_GATEWAY_PROTOCOL']));
    expect(world.igd.asked.filter((asked) => asked === 'GetGenericPortMappingEntry')).toHaveLength(1_024);
  });

  it('without end keeps no port from being mapped and 128 entries of it are read', async () => {
    const world = await gatewayWorld();
    for (let i = 0; i < 1_500; i++) world.igd.table.push({ ...foreign, externalPort: 4_000 + i });
    const upnp = world.mapper(upnpIgd());
    await withinCost(async () => expect(await world.outcomes(upnp.map(REQUEST))).toEqual(['done']));
    expect(world.igd.asked.filter((asked) => asked === 'GetGenericPortMappingEntry')).toHaveLength(128);
  });
});
