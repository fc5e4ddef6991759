import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import type { MappingRequest, PortMapper } from '../../../src/core/port-mapper.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { drive } from './drive.ts';
import { descriptionOf, FakeGateway, type FakeGatewayOptions, searchAnswer, soapAnswer } from './fake-gateway.ts';
import { loopbackNetwork, type SsdpAnswerer } from './loopback-network.ts';

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function startGateway(options?: FakeGatewayOptions): Promise<FakeGateway> {
  const gateway = await FakeGateway.start(options);
  releases.push(() => gateway.stop());
  return gateway;
}

function mapperAmong(...answerers: SsdpAnswerer[]): { mapper: PortMapper; clock: ManualClock } {
  const clock = manualClock();
  const { network } = loopbackNetwork({ answerers });
  const mapper = upnpIgd()({ network, clock, random: seededRandom(7), log: () => {} });
  releases.push(() => mapper.close());
  return { mapper, clock };
}

async function hostile(options?: FakeGatewayOptions) {
  const gateway = await startGateway(options);
  return { gateway, ...mapperAmong(gateway) };
}

const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };

describe('a gateway that is silent', () => {
  it('over HTTP costs a search and one deadline', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = () => true;
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(clock.now()).toBeLessThan(5_000);
    expect(clock.pending).toBe(0);
  });

  it('when it is asked for something costs no more than the whole call may', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = (_request, _response, action) => action === 'AddPortMapping';
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(clock.now()).toBeLessThanOrEqual(10_100);
  });

  it('but for a byte now and then is silent', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = (_request, response) => {
      void dripping(response);
      return true;
    };
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(clock.now()).toBeLessThan(5_000);
  });
});

describe('a description', () => {
  const endless = (response: ServerResponse, chunk: string): void => {
    const more = (): void => {
      while (response.socket?.writable && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };

  it.each<[string, (response: ServerResponse) => void]>([
    [
      'says that it has 10 MB',
      (response) => response.writeHead(200, { 'Content-Length': 10 * 2 ** 20 }).write('<root>'),
    ],
    ['has no end, in chunks', (response) => endless(response, '<a>'.repeat(1000))],
    [
      'has no end',
      (response) => {
        response.removeHeader('Transfer-Encoding');
        response.socket?.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = (): void => {
          while (response.socket?.writable && response.socket.write('<a>'.repeat(1000)));
        };
        response.socket?.on('drain', more);
        more();
      },
    ],
    ['has endless fields', (response) => response.socket?.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`)],
    [
      'is shorter than it says',
      (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<root/>'),
    ],
    [
      'is of two lengths',
      (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
    ],
    ['is of a negative length', (response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n')],
    [
      'is in chunks of no size',
      (response) => response.socket?.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'),
    ],
    ['is not HTTP', (response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
    ['is nothing', (response) => response.socket?.end()],
    ['is empty', (response) => response.end()],
    ['is not found', (response) => response.writeHead(404).end()],
    ['is no XML', (response) => response.end('hello')],
    ['is broken XML', (response) => response.end('<root><device><serviceList><serv')],
    ['is another XML', (response) => response.end('<root><device/></root>')],
    ['is deep', (response) => response.end('<root>'.repeat(10_000))],
    ['is broad', (response) => response.end(`<root>${'<a/>'.repeat(60_000)}</root>`)],
    [
      'is an entity bomb',
      (response) =>
        response.end(`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">${'<!ENTITY b "&a;&a;">'.repeat(50)}]><root>&b;</root>`),
    ],
    [
      'names a control URL elsewhere',
      (response) =>
        response.end(descriptionOf('urn:schemas-upnp-org:service:WANIPConnection:1', 'http://127.0.0.2:1/c')),
    ],
    [
      'names a base elsewhere',
      (response) =>
        response.end(
          descriptionOf(
            'urn:schemas-upnp-org:service:WANIPConnection:1',
            '/c',
            '<URLBase>http://127.0.0.2:1/</URLBase>',
          ),
        ),
    ],
  ])('that %s is ERR_GATEWAY_PROTOCOL', async (_what, answer) => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = (_request, response) => {
      answer(response);
      return true;
    };
    const code = await drive(clock, mapper.map(REQUEST)).catch(({ code }) => code);
    expect(code).toBe('ERR_GATEWAY_PROTOCOL');
    expect(clock.now()).toBeLessThan(1_600);
  });

  it('elsewhere, by redirection, is not fetched', async () => {
    const victim = await startGateway({ address: '127.0.0.2' });
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = (_request, response) => {
      response.writeHead(302, { Location: victim.location() }).end();
      return true;
    };
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    expect(victim.asked).toEqual([]);
  });

  it('elsewhere, by the answer to a search, is not fetched', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.answers = (search) =>
      FakeGateway.prototype.answers.call(gateway, search).map(({ text }) => ({ text, from: '127.0.0.66' }));
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(gateway.asked).toEqual([]);
  });
});

describe('an answer to an action', () => {
  it.each<[string, string]>([
    ['is nothing', ''],
    ['is another XML', '<html><body>Please log in</body></html>'],
    ['is that to another action', soapAnswer('GetStatusInfo', 'x', {})],
    ['is no address', soapAnswer('GetExternalIPAddress', 'x', { NewExternalIPAddress: 'http://evil/' })],
    ['is an IPv6 address', soapAnswer('GetExternalIPAddress', 'x', { NewExternalIPAddress: '2001:db8::1' })],
  ])('that %s is ERR_GATEWAY_PROTOCOL', async (_what, body) => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = (_request, response, action) => {
      if (action !== 'GetExternalIPAddress') return false;
      response.end(body);
      return true;
    };
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
  });

  it('that grants a port leading to somebody else is ERR_GATEWAY_PROTOCOL, and that entry stays', async () => {
    const { gateway, mapper, clock } = await hostile();
    const stolen = {
      protocol: 'udp',
      externalPort: 5000,
      internalClient: '192.168.1.9',
      internalPort: 1,
      description: '',
      lease: 0,
    } as const;
    gateway.intercept = (_request, response, action) => {
      if (action !== 'AddPortMapping') return false;
      gateway.table.splice(0, 1, { ...stolen });
      response.end(soapAnswer('AddPortMapping', gateway.service, {}));
      return true;
    };
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    await mapper.close();
    expect(gateway.table).toEqual([stolen]);
  });
});

describe('a table', () => {
  it('without end is ERR_GATEWAY_PROTOCOL after 1,024 entries', async () => {
    const { gateway, mapper, clock } = await hostile();
    const entry = {
      protocol: 'udp',
      internalClient: '192.168.1.9',
      internalPort: 1,
      description: '',
      lease: 0,
    } as const;
    for (let i = 0; i < 1_500; i++) gateway.table.push({ ...entry, externalPort: 1 + i });
    await expect(drive(clock, mapper.list!())).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    expect(gateway.asked.filter((asked) => asked === 'GetGenericPortMappingEntry')).toHaveLength(1_024);
  });

  it('without end does not keep from mapping beside it', async () => {
    const { gateway, mapper, clock } = await hostile();
    const entry = {
      protocol: 'udp',
      internalClient: '192.168.1.9',
      internalPort: 1,
      description: '',
      lease: 0,
    } as const;
    for (let i = 0; i < 1_500; i++) gateway.table.push({ ...entry, externalPort: 4_000 + i });
    const mapping = await drive(clock, mapper.map(REQUEST));
    expect(mapping.external.port).toBeGreaterThanOrEqual(49_152);
    expect(gateway.asked.filter((asked) => asked === 'GetGenericPortMappingEntry')).toHaveLength(128);
  });
});

describe('a crowd', () => {
  it('of nine gateways that are silent does not delay the one on the default route', async () => {
    const silent = await Promise.all(
      Array.from({ length: 9 }, async (_, i) => {
        const gateway = await startGateway({ address: `127.0.0.${10 + i}` });
        gateway.intercept = () => true;
        return gateway;
      }),
    );
    const { mapper, clock } = mapperAmong(...silent.slice(0, 4), await startGateway(), ...silent.slice(4));
    expect((await drive(clock, mapper.map(REQUEST))).gateway).toBe('127.0.0.1');
    expect(clock.now()).toBeLessThan(1_500);
  });

  it('of a thousand locations at one address is two', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.answers = (search) =>
      Array.from({ length: 1_000 }, (_, i) => ({
        text: searchAnswer(/^ST: (.*)\r$/m.exec(search)?.[1] ?? '', `${gateway.origin}/${i}`, '1'),
        from: gateway.address,
      }));
    gateway.description = () => '<root/>';
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL' });
    expect(gateway.asked).toEqual(['GET /0', 'GET /1']);
  });
});

describe('after all that', () => {
  it('the same mapper works, and holds no connection', async () => {
    const { gateway, mapper, clock } = await hostile();
    gateway.intercept = () => true;
    await expect(drive(clock, mapper.map(REQUEST))).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    gateway.intercept = () => false;
    expect(await drive(clock, mapper.map(REQUEST))).toMatchObject({ external: { port: 5000 } });
    while ((await gateway.connections()) > 0) await setImmediate();
    expect(clock.pending).toBe(0);
  });
});

/** A byte every few turns of the event loop, for as long as somebody reads. */
async function dripping(response: ServerResponse): Promise<void> {
  for (const byte of `HTTP/1.1 200 OK\r\nX-Patience: ${'x'.repeat(7_000)}`) {
    if (!response.socket?.writable) return;
    response.socket.write(byte);
    await setImmediate();
  }
}
