import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  addAnyPortMapping,
  addPortMapping,
  createHttpRequestReader,
  createHttpResponseReader,
  createIgdServer,
  decodeDeviceDescription,
  decodeSoapAnswer,
  deletePortMapping,
  encodeHttpRequest,
  encodeSoapRequest,
  type FaultName,
  gatewayUrl,
  getExternalIpAddress,
  getGenericPortMappingEntry,
  getSpecificPortMappingEntry,
  getStatusInfo,
  type HttpRequest,
  type HttpResponse,
  isFault,
  type PortMappingWish,
  type SoapAction,
} from '../../../src/protocol/upnp/index.ts';
import { memoryTable } from '../memory-table.ts';

const HOST = '192.168.1.2';
const OTHER = '192.168.1.3';
const WISH: PortMappingWish = {
  protocol: 'tcp',
  externalPort: 8080,
  internalClient: HOST,
  internalPort: 80,
  description: 'a <game> & "more"',
  lease: 600,
};
const URL = gatewayUrl('http://192.168.1.1:5000/rootDesc.xml', '192.168.1.1')!;
const DELETED = { protocol: 'tcp', externalPort: 8080 } as const;

interface Options {
  readonly version?: 1 | 2;
  readonly maxLifetime?: number;
  readonly permanentOnly?: boolean;
}

/** A gateway that is asked by the project's own client, from HTTP on. */
function gateway({ version = 1, maxLifetime = 3600, permanentOnly = false }: Options = {}) {
  const table = memoryTable();
  const identity = {
    version,
    uuids: ['a', 'b', 'c'],
    friendlyName: 'Router & more',
    manufacturer: 'Somebody',
    modelName: 'One',
  } as const;
  const server = createIgdServer({ identity, table, maxLifetime, permanentOnly, uptime: (now) => now / 1000 });

  function exchange(request: HttpRequest, client = HOST, now = 0): HttpResponse {
    const received = createHttpRequestReader({ maxBody: 8192 }).push(encodeHttpRequest(request))!;
    return createHttpResponseReader({ maxBody: 65_536 }).push(server.answer(received, client, now))!;
  }

  const description = () => decodeDeviceDescription(exchange({ method: 'GET', url: URL }).body, URL);
  const [service] = description().services;

  function ask<T>(action: SoapAction<T>, client = HOST, now = 0, type = service!.type): T {
    const request = { method: 'POST', url: service!.controlUrl, ...encodeSoapRequest(type, action) } as const;
    return decodeSoapAnswer(action, exchange(request, client, now).body);
  }

  /** The fault by which an action is refused. */
  function refused(...asked: Parameters<typeof ask>): FaultName | undefined {
    try {
      ask(...asked);
      return undefined;
    } catch (error) {
      return FAULT_NAMES.find((name) => isFault(error, name));
    }
  }

  return { table, exchange, description, ask, refused };
}

const FAULT_NAMES: readonly FaultName[] = [
  'InvalidAction',
  'InvalidArgs',
  'ActionFailed',
  'ActionNotAuthorized',
  'SpecifiedArrayIndexInvalid',
  'NoSuchEntryInArray',
  'WildCardNotPermittedInExtPort',
  'ConflictInMappingEntry',
  'OnlyPermanentLeasesSupported',
  'RemoteHostOnlySupportsWildcard',
  'NoPortMapsAvailable',
];

/** An action with arguments as they are given. */
function raw(name: string, args: Readonly<Record<string, string>>): SoapAction<void> {
  return { name, args: Object.entries(args), read: () => undefined };
}

const ADD = {
  NewRemoteHost: '',
  NewExternalPort: '8080',
  NewProtocol: 'TCP',
  NewInternalPort: '80',
  NewInternalClient: HOST,
  NewEnabled: '1',
  NewPortMappingDescription: 'x',
  NewLeaseDuration: '600',
};

describe.each([1, 2] as const)('an Internet Gateway Device of version %i', (version) => {
  it('describes itself', () => {
    expect(gateway({ version }).description()).toEqual({
      friendlyName: 'Router & more',
      manufacturer: 'Somebody',
      modelName: 'One',
      services: [
        {
          type: `urn:schemas-upnp-org:service:WANIPConnection:${version}`,
          version,
          controlUrl: expect.objectContaining({ address: '192.168.1.1', port: 5000 }),
        },
      ],
    });
  });

  it('maps a port, tells of it, and removes it', () => {
    const { ask, refused, table } = gateway({ version });
    ask(addPortMapping(WISH));
    const [entry] = table.list;
    expect(entry).toMatchObject({ protocol: 'tcp', internal: endpoint(HOST, 80), until: 600_000 });
    const told = { ...WISH, enabled: true, lease: 540 };
    expect(ask(getSpecificPortMappingEntry(DELETED), OTHER, 60_001)).toEqual(told);
    expect(ask(getGenericPortMappingEntry(0), OTHER, 60_000)).toEqual(told);
    expect(refused(getGenericPortMappingEntry(1))).toBe('SpecifiedArrayIndexInvalid');
    ask(deletePortMapping(DELETED));
    expect(refused(deletePortMapping(DELETED))).toBe('NoSuchEntryInArray');
    expect(refused(getSpecificPortMappingEntry(DELETED))).toBe('NoSuchEntryInArray');
    expect(table.list).toEqual([]);
  });

  it('tells its address, and whether it is connected', () => {
    const { ask, table } = gateway({ version });
    expect(ask(getExternalIpAddress())).toBe('203.0.113.9');
    expect(ask(getStatusInfo())).toEqual({ connected: true, status: 'Connected' });
    table.external = undefined;
    expect(ask(getExternalIpAddress())).toBe('');
    expect(ask(getStatusInfo())).toEqual({ connected: false, status: 'Disconnected' });
  });

  it('leaves to others what is theirs', () => {
    const { ask, refused, table } = gateway({ version });
    ask(addPortMapping(WISH));
    expect(refused(addPortMapping({ ...WISH, internalClient: OTHER }), OTHER)).toBe('ConflictInMappingEntry');
    expect(refused(addPortMapping(WISH), OTHER)).toBe(version === 1 ? 'ConflictInMappingEntry' : 'ActionNotAuthorized');
    const foreign = version === 1 ? 'NoSuchEntryInArray' : 'ActionNotAuthorized';
    expect(refused(deletePortMapping(DELETED), OTHER)).toBe(foreign);
    expect(table.list).toHaveLength(1);
  });

  it('overwrites an entry of the same host', () => {
    const { ask, table } = gateway({ version });
    ask(addPortMapping(WISH));
    ask(addPortMapping({ ...WISH, internalPort: 81, description: 'new' }));
    expect(table.list).toMatchObject([{ internal: endpoint(HOST, 81), description: 'new' }]);
  });

  it('keeps mappings no longer than it may', () => {
    const { ask, table } = gateway({ version });
    ask(addPortMapping({ ...WISH, lease: 9999 }));
    expect(table.list[0]!.until).toBe(3_600_000);
    ask(addPortMapping({ ...WISH, lease: 0 }));
    expect(table.list[0]!.until).toBe(version === 1 ? Number.POSITIVE_INFINITY : 3_600_000);
    expect(ask(getSpecificPortMappingEntry(DELETED)).lease).toBe(version === 1 ? 0 : 3600);
  });

  it.each<[string, Partial<typeof ADD>, FaultName]>([
    ['port 0 outside', { NewExternalPort: '0' }, 'WildCardNotPermittedInExtPort'],
    ['any port outside', { NewExternalPort: '*' }, 'WildCardNotPermittedInExtPort'],
    ['no number', { NewExternalPort: 'eighty' }, 'InvalidArgs'],
    ['a port beyond all', { NewExternalPort: '65536' }, 'InvalidArgs'],
    ['port 0 inside', { NewInternalPort: '0' }, 'InvalidArgs'],
    ['another protocol', { NewProtocol: 'SCTP' }, 'InvalidArgs'],
    ['no address', { NewInternalClient: 'printer' }, 'InvalidArgs'],
    ['an IPv6 address', { NewInternalClient: '2001:db8::2' }, 'InvalidArgs'],
    ['one remote host', { NewRemoteHost: '198.51.100.1' }, 'RemoteHostOnlySupportsWildcard'],
    ['a strange lease', { NewLeaseDuration: '-1' }, 'InvalidArgs'],
  ])('refuses a mapping with %s', (_what, wrong, fault) => {
    const { refused, table } = gateway({ version });
    expect(refused(raw('AddPortMapping', { ...ADD, ...wrong }))).toBe(fault);
    expect(table.list).toEqual([]);
  });

  it.each(['NewExternalPort', 'NewProtocol', 'NewInternalPort', 'NewInternalClient'] as const)(
    'refuses a mapping without %s',
    (name) => {
      const { [name]: _, ...rest } = ADD;
      expect(gateway({ version }).refused(raw('AddPortMapping', rest))).toBe('InvalidArgs');
    },
  );

  it.each<[string, SoapAction<unknown>, FaultName]>([
    ['an index that is none', raw('GetGenericPortMappingEntry', { NewPortMappingIndex: 'x' }), 'InvalidArgs'],
    ['no index', raw('GetGenericPortMappingEntry', {}), 'InvalidArgs'],
    ['a deletion of port 0', deletePortMapping({ protocol: 'udp', externalPort: 0 }), 'InvalidArgs'],
    ['an action that there is not', raw('Reboot', {}), 'InvalidAction'],
  ])('refuses %s', (_what, action, fault) => {
    expect(gateway({ version }).refused(action)).toBe(fault);
  });

  it('says what it has no room for', () => {
    const { refused, table } = gateway({ version });
    table.room = 0;
    expect(refused(addPortMapping(WISH))).toBe(version === 1 ? 'ActionFailed' : 'NoPortMapsAvailable');
  });

  it('answers to its own service, and to lower versions of it', () => {
    const { refused } = gateway({ version });
    const type = (name: string): string => `urn:schemas-upnp-org:service:${name}`;
    expect(refused(getExternalIpAddress(), HOST, 0, type('WANIPConnection:1'))).toBeUndefined();
    const second = refused(getExternalIpAddress(), HOST, 0, type('WANIPConnection:2'));
    expect(second).toBe(version === 2 ? undefined : 'InvalidAction');
    expect(refused(getExternalIpAddress(), HOST, 0, type('Layer3Forwarding:1'))).toBe('InvalidAction');
  });

  it.each<[number, string, HttpRequest]>([
    [404, 'another path', { method: 'GET', url: { ...URL, path: '/passwords' } }],
    [405, 'the wrong method', { method: 'POST', url: URL, body: new Uint8Array(0) }],
    [405, 'a GET of the control URL', { method: 'GET', url: { ...URL, path: '/ctl/IPConn' } }],
    [400, 'no SOAP', { method: 'POST', url: { ...URL, path: '/ctl/IPConn' }, body: Buffer.from('hello') }],
    [
      400,
      'no action in the body',
      {
        method: 'POST',
        url: { ...URL, path: '/ctl/IPConn' },
        fields: { SOAPAction: '"a#b"' },
        body: Buffer.from('<a/>'),
      },
    ],
  ])('answers %i to %s', (status, _what, request) => {
    expect(gateway({ version }).exchange(request)).toMatchObject({ status, body: new Uint8Array(0) });
  });
});

describe('version 2', () => {
  it('chooses another port for one that is taken, and when any will do', () => {
    const { ask } = gateway({ version: 2 });
    expect(ask(addAnyPortMapping(WISH))).toBe(8080);
    const theirs = { ...WISH, internalClient: OTHER };
    expect(ask(addAnyPortMapping(theirs), OTHER)).toBe(50_000);
    expect(ask(addAnyPortMapping({ ...WISH, externalPort: 0, protocol: 'udp' }))).toBe(50_000);
  });

  it('grants a week at most', () => {
    const { ask, table } = gateway({ version: 2, maxLifetime: 1e6 });
    ask(addPortMapping({ ...WISH, lease: 0 }));
    expect(table.list[0]!.until).toBe(604_800_000);
  });

  it('is what version 1 has no such action of', () => {
    expect(gateway().refused(addAnyPortMapping(WISH))).toBe('InvalidAction');
  });
});

describe('an old router', () => {
  it('grants leases without end only', () => {
    const { ask, refused, table } = gateway({ permanentOnly: true });
    expect(refused(addPortMapping(WISH))).toBe('OnlyPermanentLeasesSupported');
    ask(addPortMapping({ ...WISH, lease: 0 }));
    expect(table.list).toMatchObject([{ until: Number.POSITIVE_INFINITY }]);
  });
});
