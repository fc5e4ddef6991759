import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import { decodeSsdp, encodeSearch, isGatewayType, SEARCH_TARGETS } from '../../../src/protocol/upnp/index.ts';

const bytes = (...lines: string[]): Uint8Array => Buffer.from(lines.join('\r\n'), 'latin1');

const RESPONSE = bytes(
  'HTTP/1.1 200 OK',
  'CACHE-CONTROL: max-age=120',
  'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'USN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'EXT:',
  'Location:http://192.168.1.1:5000/rootDesc.xml ',
  'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01',
  '01-NLS: 17',
  'BOOTID.UPNP.ORG: 18',
  'CONFIGID.UPNP.ORG: 1337',
  '\r\n',
);

const ALIVE = bytes(
  'NOTIFY * HTTP/1.1',
  'HOST: 239.255.255.250:1900',
  'NT: upnp:rootdevice',
  'NTS: ssdp:alive',
  'USN: uuid:1::upnp:rootdevice',
  'LOCATION: http://192.168.1.1:5000/rootDesc.xml',
  '\r\n',
);

describe('a search', () => {
  it('is what UPnP Device Architecture 2.0 section 1.3.2 says', () => {
    const search = encodeSearch({ target: SEARCH_TARGETS[0], host: '239.255.255.250:1900', maxWait: 1 });
    expect(Buffer.from(search).toString('latin1')).toBe(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
        'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
    );
  });

  it('of somebody else is no answer', () => {
    const search = encodeSearch({ target: 'ssdp:all', host: '239.255.255.250:1900', maxWait: 3 });
    expect(() => decodeSsdp(search)).toThrow(DecodeError);
  });
});

describe('an answer', () => {
  it('is read, whatever the case of its fields', () => {
    expect(decodeSsdp(RESPONSE)).toEqual({
      kind: 'response',
      target: 'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      usn: 'uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      location: 'http://192.168.1.1:5000/rootDesc.xml',
      bootId: '18',
      configId: '1337',
    });
  });

  it('of an older device has its boot id elsewhere', () => {
    const older = Buffer.from(
      Buffer.from(RESPONSE)
        .toString()
        .replace(/BOOTID.*\r\n/, ''),
    );
    expect(decodeSsdp(older)).toMatchObject({ bootId: '17' });
  });

  it.each(['ST', 'USN', 'Location'])('without %s is none', (name) => {
    const lacking = Buffer.from(
      Buffer.from(RESPONSE)
        .toString()
        .replace(new RegExp(`\r\n${name}:[^\r]*`), ''),
    );
    expect(() => decodeSsdp(lacking)).toThrow(expect.objectContaining({ where: `ssdp/${name.toLowerCase()}` }));
  });
});

describe('a notification', () => {
  it('of arrival is read', () => {
    expect(decodeSsdp(ALIVE)).toEqual({
      kind: 'alive',
      target: 'upnp:rootdevice',
      usn: 'uuid:1::upnp:rootdevice',
      location: 'http://192.168.1.1:5000/rootDesc.xml',
      bootId: undefined,
      configId: undefined,
      nextBootId: undefined,
    });
  });

  it('of a change names the next boot id', () => {
    const update = bytes(
      'NOTIFY * HTTP/1.1',
      'NT: a',
      'NTS: ssdp:update',
      'USN: b',
      'LOCATION: c',
      'NEXTBOOTID.UPNP.ORG: 4',
    );
    expect(decodeSsdp(update)).toMatchObject({ kind: 'update', nextBootId: '4' });
  });

  it('of farewell has no location, and may lack the empty line', () => {
    const byebye = bytes('NOTIFY * HTTP/1.1', 'NT: a', 'NTS: ssdp:byebye', 'USN: b');
    expect(decodeSsdp(byebye)).toMatchObject({ kind: 'byebye', location: undefined });
  });
});

describe('anything else', () => {
  it.each([
    ['longer than 4 KiB', bytes('HTTP/1.1 200 OK', `ST: ${'x'.repeat(5_000)}`)],
    ['of too many fields', bytes('HTTP/1.1 200 OK', ...Array.from({ length: 65 }, (_, i) => `X${i}: y`))],
    ['with a control character', bytes('NOTIFY * HTTP/1.1', 'NT: \u001b[2J', 'NTS: ssdp:byebye', 'USN: b')],
  ])('%s throws DecodeError', (_what, data) => {
    expect(() => decodeSsdp(data)).toThrow(DecodeError);
  });
});

describe('the types of a gateway', () => {
  it('are those that are searched for, of any version', () => {
    for (const target of SEARCH_TARGETS) expect(isGatewayType(target)).toBe(true);
    expect(isGatewayType('urn:schemas-upnp-org:device:InternetGatewayDevice:3')).toBe(true);
    expect(isGatewayType('urn:schemas-upnp-org:device:MediaServer:1')).toBe(false);
    expect(isGatewayType('upnp:rootdevice')).toBe(false);
  });
});
