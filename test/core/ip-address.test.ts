import { BlockList, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyAddress, formatIp, formatIpv6, parseIp, withoutZone, zoneOf } from '../../src/core/ip-address.ts';

describe('parseIp', () => {
  it.each([
    ['192.0.2.1', 4, [192, 0, 2, 1]],
    ['0.0.0.0', 4, [0, 0, 0, 0]],
    ['::', 6, new Array(16).fill(0)],
    ['::1', 6, [...new Array(15).fill(0), 1]],
    ['2001:DB8::1', 6, [0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), 1]],
    ['1:2:3:4:5:6:7::', 6, [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
    ['64:ff9b::192.0.2.33', 6, [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33]],
  ] as const)('reads %s', (text, family, bytes) => {
    expect(parseIp(text)).toEqual({ family, bytes: Uint8Array.from(bytes) });
  });

  it('reads an IPv4-mapped IPv6 address as IPv4 (RFC 4291 section 2.5.5.2)', () => {
    expect(parseIp('::ffff:192.0.2.1')).toEqual({ family: 4, bytes: Uint8Array.of(192, 0, 2, 1) });
  });

  it('keeps the zone of a scoped address (RFC 4007)', () => {
    expect(parseIp('fe80::1%eth0')).toMatchObject({ family: 6, zone: 'eth0' });
  });

  it.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::12345',
    '::g',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%',
    'fe80::1%a%b',
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it('agrees with Node on what an address is', () => {
    const group = fc.constantFrom('', '0', '1', 'ffff', '12345', 'g', '1.2.3.4', '1.2.3.256');
    const almost = fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(':'));
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), almost, fc.string({ unit: fc.constantFrom(':', '.', '0', '2', '5') }));
    fc.assert(
      fc.property(text, (candidate) => {
        expect(parseIp(candidate) !== undefined).toBe(isIPv4(candidate) || isIPv6(candidate));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatIp', () => {
  // RFC 5952 sections 4.1 to 4.3.
  it.each([
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ])('writes %s as %s', (long, short) => {
    expect(formatIp(parseIp(long)!.bytes)).toBe(short);
  });

  it('is what parseIp reads, for all bytes', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.constantFrom(0, 0, 1), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(address, (bytes) => {
        expect(parseIp(formatIp(bytes))?.bytes).toEqual(bytes);
      }),
    );
  });

  it('appends the zone', () => {
    expect(formatIpv6(parseIp('fe80::1')!.bytes, 'eth0')).toBe('fe80::1%eth0');
  });
});

describe('a zone (RFC 4007)', () => {
  it('is told apart from its address', () => {
    expect([zoneOf('fe80::1%eth0'), withoutZone('fe80::1%eth0')]).toEqual(['eth0', 'fe80::1']);
    expect([zoneOf('fe80::1'), withoutZone('fe80::1')]).toEqual([undefined, 'fe80::1']);
  });
});

describe('classifyAddress', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['127.255.0.1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.15.255.255', 'public'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['192.168.255.255', 'private'],
    ['100.63.255.255', 'public'],
    ['100.64.0.0', 'carrier'],
    ['100.127.255.255', 'carrier'],
    ['100.128.0.0', 'public'],
    ['169.254.1.1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['198.51.100.7', 'public'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['ff02::1', 'multicast'],
    ['fec0::1', 'deprecated'],
    ['feff::1', 'deprecated'],
    ['::192.0.2.1', 'deprecated'],
    ['::1:0:0:1', 'public'],
    ['2001:db8::1', 'public'],
    ['::ffff:10.0.0.1', 'private'],
  ] as const)('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });

  it('agrees with a table of the registry’s blocks (RFC 6890) on any IPv4 address', () => {
    const inner = new BlockList();
    for (const [net, prefix] of [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
    ] as const) {
      inner.addSubnet(net, prefix);
    }
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(classifyAddress(address) === 'private').toBe(inner.check(address));
      }),
    );
  });

  it('throws RangeError on a host name', () => {
    expect(() => classifyAddress('localhost')).toThrow(RangeError);
  });
});
