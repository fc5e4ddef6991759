import { describe, expect, it } from 'vitest';
import { decodeDeviceDescription, gatewayUrl } from '../../../src/protocol/upnp/index.ts';
import { descriptionOf } from '../../adapters/port-mapper/fake-gateway.ts';

const IP1 = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const LOCATION = gatewayUrl('http://192.168.1.1:5000/dir/rootDesc.xml', '192.168.1.1')!;
const decode = (text: string) => decodeDeviceDescription(Buffer.from(text), LOCATION);

describe('a device description', () => {
  it('gives the services that map ports, however deep', () => {
    expect(decode(descriptionOf(IP1, '/ctl'))).toEqual({
      friendlyName: 'Fake & router',
      manufacturer: 'Nobody',
      modelName: 'None',
      services: [
        {
          type: IP1,
          version: 1,
          controlUrl: { href: 'http://192.168.1.1:5000/ctl', address: '192.168.1.1', port: 5000, path: '/ctl' },
        },
      ],
    });
  });

  it.each([
    ['urn:schemas-upnp-org:service:WANIPConnection:2', 2],
    ['urn:schemas-upnp-org:service:WANPPPConnection:1', 1],
  ])('knows %s', (type, version) => {
    expect(decode(descriptionOf(type, '/ctl')).services).toMatchObject([{ type, version }]);
  });

  it.each([
    ['ctl', '', 'http://192.168.1.1:5000/dir/ctl'],
    ['/ctl', '<URLBase>http://192.168.1.1:49152/</URLBase>', 'http://192.168.1.1:49152/ctl'],
    ['http://192.168.1.1:80/ctl', '<URLBase>http://10.0.0.1/</URLBase>', 'http://192.168.1.1/ctl'],
  ])('resolves %s (%s)', (control, base, href) => {
    expect(decode(descriptionOf(IP1, control, base)).services[0]?.controlUrl.href).toBe(href);
  });

  it('leaves out what leads elsewhere', () => {
    const both = descriptionOf(IP1, '/ctl').replace(
      '<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIP',
      `<serviceList><service><serviceType>${IP1}</serviceType><controlURL>http://10.0.0.1/</controlURL></service><service><serviceType>urn:schemas-upnp-org:service:WANIP`,
    );
    expect(decode(both).services).toHaveLength(1);
  });

  it('gives 16 services at most', () => {
    const service = `<service><serviceType>${IP1}</serviceType><controlURL>/x</controlURL></service>`;
    expect(
      decode(`<root><device><serviceList>${service.repeat(50)}</serviceList></device></root>`).services,
    ).toHaveLength(16);
  });

  it('cannot paint a terminal', () => {
    const evil = descriptionOf(IP1, '/ctl').replace('Fake &amp; router', 'a&#27;[2J\u202e b');
    expect(decode(evil).friendlyName).toBe('a[2J b');
  });

  it.each([
    ['no device', '<root/>', 'upnp/description/device'],
    ['another root', '<html><device/></html>', 'upnp/description/device'],
    ['no service', '<root><device/></root>', 'upnp/description/services'],
    [
      'a service of another kind',
      descriptionOf('urn:schemas-upnp-org:service:WANIPv6FirewallControl:1', '/x'),
      'upnp/description/services',
    ],
    ['a control URL elsewhere', descriptionOf(IP1, 'http://192.168.1.2/'), 'upnp/description/control-url'],
    ['256 KiB and more', ' '.repeat(256 * 1024 + 1), 'upnp/description/length'],
  ])('of %s throws DecodeError', (_what, text, where) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ where }));
  });
});
