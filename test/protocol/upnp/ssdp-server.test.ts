import { describe, expect, it } from 'vitest';
import {
  createSsdpServer,
  decodeSsdp,
  encodeSearch,
  isGatewayType,
  SEARCH_TARGETS,
  type SsdpMessage,
} from '../../../src/protocol/upnp/index.ts';

const LOCATION = 'http://192.168.1.1:5000/rootDesc.xml';
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection';

function device(version: 1 | 2) {
  const words = { friendlyName: 'x', manufacturer: 'y', modelName: 'z' };
  const identity = { version, uuids: ['a', 'b', 'c'], ...words } as const;
  const server = createSsdpServer({ identity, location: LOCATION, bootId: '17' });
  const search = (target: string): SsdpMessage[] => {
    const bytes = encodeSearch({ target, host: '239.255.255.250:1900', maxWait: 1 });
    return server.answers(bytes).map(decodeSsdp);
  };
  return { server, search };
}

describe('a search', () => {
  it('is answered by the part that it is for', () => {
    expect(device(1).search(`${SERVICE}:1`)).toEqual([
      {
        kind: 'response',
        target: `${SERVICE}:1`,
        usn: `uuid:c::${SERVICE}:1`,
        location: LOCATION,
        bootId: '17',
        configId: '1',
      },
    ]);
    expect(device(1).search('upnp:rootdevice')).toMatchObject([{ usn: 'uuid:a::upnp:rootdevice' }]);
    expect(device(1).search('uuid:b')).toMatchObject([{ target: 'uuid:b', usn: 'uuid:b' }]);
  });

  it.each([
    [1, [true, false, true, false, false]],
    [2, [true, true, true, true, false]],
  ] as const)('of version %i is answered for lower versions too', (version, expected) => {
    const { search } = device(version);
    const answers = SEARCH_TARGETS.map((target) => search(target));
    expect(answers.map(({ length }) => length === 1)).toEqual(expected);
    expect(answers.flat().map(({ target }) => target)).toEqual(SEARCH_TARGETS.filter((_, i) => expected[i]));
  });

  it('for all is answered by all', () => {
    const answers = device(2).search('ssdp:all');
    expect(answers).toHaveLength(8);
    expect(new Set(answers.map(({ usn }) => usn)).size).toBe(8);
  });

  it.each(['urn:schemas-upnp-org:device:MediaServer:1', `${SERVICE}:0`, `${SERVICE}:3`, 'uuid:d', 'ssdp:none'])(
    'for %s is not answered',
    (target) => {
      expect(device(2).search(target)).toEqual([]);
    },
  );

  it.each([
    ['an answer', 'HTTP/1.1 200 OK\r\nST: ssdp:all\r\nUSN: x\r\nLOCATION: y\r\n\r\n'],
    ['a notification', 'NOTIFY * HTTP/1.1\r\nNT: ssdp:all\r\nNTS: ssdp:alive\r\nUSN: x\r\nLOCATION: y\r\n\r\n'],
    ['a search without MAN', 'M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n'],
    ['a search of another kind', 'M-SEARCH * HTTP/1.1\r\nMAN: "x"\r\nST: ssdp:all\r\n\r\n'],
    ['a search for nothing', 'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\n\r\n'],
    ['something else', 'hello'],
    ['nothing', ''],
  ])('is not %s', (_what, text) => {
    expect(device(1).server.answers(Buffer.from(text))).toEqual([]);
  });
});

describe('a notification', () => {
  it('says of each part that it is there', () => {
    const messages = device(2).server.alive().map(decodeSsdp);
    expect(messages).toHaveLength(8);
    const gateway = messages.find(({ target }) => isGatewayType(target));
    expect(gateway).toMatchObject({ kind: 'alive', location: LOCATION, bootId: '17' });
  });
});
