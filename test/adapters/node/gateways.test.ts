import { describe, expect, it } from 'vitest';
import { parseNetstatRoutes, parseProcRoutes, parseRoutePrint } from '../../../src/adapters/node/default-route.ts';
import { gatewaysOf } from '../../../src/adapters/node/gateways.ts';
import { nodeNetwork } from '../../../src/adapters/node/index.ts';
import type { NetworkInterface } from '../../../src/core/network.ts';

const on = (name: string, address: string): NetworkInterface => ({
  name,
  address,
  family: address.includes(':') ? 6 : 4,
  internal: false,
});

describe('default routes of Linux', () => {
  const ipv4 = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0',
    'eth0\t0000000A\tFE01A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
    '',
  ].join('\n');
  const zeros = '0'.repeat(32);
  const ipv6 = [
    `${zeros} 00 ${zeros} 00 fe80000000000000021122fffe334455 00000400 00000003 00000000 00450003     eth0`,
    `fe80${'0'.repeat(28)} 40 ${zeros} 00 ${zeros} 00000100 00000002 00000000 00000001     eth0`,
    `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
    '',
  ].join('\n');

  it('are those through a gateway', () => {
    expect(parseProcRoutes(ipv4, ipv6, true)).toEqual([
      { family: 4, gateway: '192.168.2.1', via: 'wlan0', metric: 600 },
      { family: 4, gateway: '192.168.1.1', via: 'eth0', metric: 100 },
      { family: 6, gateway: 'fe80::211:22ff:fe33:4455', via: 'eth0', metric: 1024 },
    ]);
  });

  it('have their bytes in the order of the machine', () => {
    const line = 'eth0\t00000000\tC0A80101\t0003\t0\t0\t0\t00000000\t0\t0\t0';
    expect(parseProcRoutes(line, '', false)).toMatchObject([{ gateway: '192.168.1.1' }]);
  });

  it.each(['', 'no table', 'eth0\t00000000\tXYZ\t0003\t0\t0\t0\t00000000', 'eth0'])('are none in %j', (text) => {
    expect(parseProcRoutes(text, text, true)).toEqual([]);
  });
});

describe('default routes of macOS and the BSDs', () => {
  it('are read from netstat, old columns and new', () => {
    const text = [
      'Routing tables',
      '',
      'Internet:',
      'Destination        Gateway            Flags               Netif Expire',
      'default            192.168.1.1        UGScg                 en0',
      'default            192.168.2.1        UGScIg                en1',
      'default            link#18            UCSIg               utun3',
      'default            10.0.0.1           UGSc           75        0     en4',
      '127                127.0.0.1          UCS                   lo0',
      '',
      'Internet6:',
      'default            fe80::1%en0        UGcg                  en0',
      'default            fe80::%utun0       UGcIg               utun0',
    ].join('\n');
    expect(parseNetstatRoutes(text)).toEqual([
      { family: 4, gateway: '192.168.1.1', via: 'en0', metric: 4 },
      { family: 4, gateway: '192.168.2.1', via: 'en1', metric: 5 },
      { family: 4, gateway: '10.0.0.1', via: 'en4', metric: 7 },
      { family: 6, gateway: 'fe80::1%en0', via: 'en0', metric: 11 },
      { family: 6, gateway: 'fe80::%utun0', via: 'utun0', metric: 12 },
    ]);
  });
});

describe('default routes of Windows', () => {
  it('are read from the rows of route print, in whatever language', () => {
    const text = [
      'IPv4-Routentabelle',
      'Aktive Routen:',
      '     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik',
      '          0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.20     25',
      '          0.0.0.0          0.0.0.0   Auf Verbindung        10.8.0.2      5',
      '        127.0.0.0        255.0.0.0   Auf Verbindung       127.0.0.1    331',
      'Ständige Routen:',
      '          0.0.0.0          0.0.0.0      192.168.1.1  Standard',
      'IPv6-Routentabelle',
      ' If Metrik Netzwerkziel             Gateway',
      ' 12    281 ::/0                     fe80::1',
      '  1    331 ::1/128                  Auf Verbindung',
    ].join('\r\n');
    expect(parseRoutePrint(text)).toEqual([
      { family: 4, gateway: '192.168.1.1', via: '192.168.1.20', metric: 25 },
      { family: 6, gateway: 'fe80::1', via: '12', metric: 281 },
    ]);
  });
});

describe('gateways', () => {
  const route = (gateway: string, via: string, metric = 0) => ({
    family: gateway.includes(':') ? (6 as const) : (4 as const),
    gateway,
    via,
    metric,
  });

  it('come in the order of their metrics, each once, with the address of this host towards them', () => {
    const interfaces = [on('eth0', '192.168.1.2'), on('wlan0', '192.168.2.2')];
    const routes = [
      route('192.168.2.1', 'wlan0', 600),
      route('192.168.1.1', 'eth0', 100),
      route('192.168.1.1', 'eth0', 700),
    ];
    expect(gatewaysOf(routes, interfaces)).toEqual([
      { address: '192.168.1.1', family: 4, interface: 'eth0', local: '192.168.1.2' },
      { address: '192.168.2.1', family: 4, interface: 'wlan0', local: '192.168.2.2' },
    ]);
  });

  it('are left out by interfaces that are down or lack the family', () => {
    expect(gatewaysOf([route('192.168.1.1', 'eth0'), route('fe80::1', 'eth1')], [on('eth1', '10.0.0.2')])).toEqual([]);
  });

  it('are known by the address that shares their network', () => {
    const interfaces = [on('eth0', '10.1.1.9'), on('eth0', '192.168.1.2'), on('eth0', '192.168.9.2')];
    expect(gatewaysOf([route('192.168.1.1', 'eth0')], interfaces)).toMatchObject([{ local: '192.168.1.2' }]);
  });

  it('of IPv6 get their zone, and are known by the address of the widest reach', () => {
    const interfaces = [on('eth0', 'fe80::2%eth0'), on('eth0', 'fd00::2'), on('eth0', '2001:db8::2')];
    expect(gatewaysOf([route('fe80::1', 'eth0')], interfaces)).toEqual([
      { address: 'fe80::1%eth0', family: 6, interface: 'eth0', local: '2001:db8::2' },
    ]);
  });

  it('of Windows are found by the interface’s address or number', () => {
    const interfaces = [on('Ethernet', '192.168.1.20'), on('Ethernet', 'fe80::2%12'), on('Ethernet', '2001:db8::2')];
    expect(gatewaysOf([route('192.168.1.1', '192.168.1.20'), route('fe80::1', '12')], interfaces)).toEqual([
      { address: '192.168.1.1', family: 4, interface: 'Ethernet', local: '192.168.1.20' },
      { address: 'fe80::1%12', family: 6, interface: 'Ethernet', local: '2001:db8::2' },
    ]);
  });

  it('of this host are on its interfaces', async () => {
    const network = nodeNetwork();
    const interfaces = network.interfaces();
    for (const { interface: name, local, family } of await network.gateways()) {
      expect(interfaces).toContainEqual(expect.objectContaining({ name, address: local, family }));
    }
  });
});
