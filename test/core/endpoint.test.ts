import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint, isReachableUnicast, parseEndpoint, sameEndpoint } from '../../src/core/endpoint.ts';

const anyEndpoint = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }))
  .map(([address, port]) => endpoint(address, port));

describe('endpoint', () => {
  it('has one form for one address', () => {
    expect(endpoint('2001:0DB8:0::1', 80)).toEqual({ address: '2001:db8::1', port: 80, family: 6 });
    expect(endpoint('::ffff:192.0.2.1', 80)).toEqual({ address: '192.0.2.1', port: 80, family: 4 });
    expect(endpoint('FE80::1%eth0', 80)).toEqual({ address: 'fe80::1%eth0', port: 80, family: 6 });
  });

  it('throws RangeError on a host name', () => {
    expect(() => endpoint('example.org', 80)).toThrow(RangeError);
  });

  it.each([-1, 65536, 1.5, Number.NaN])('throws RangeError on port %d', (port) => {
    expect(() => endpoint('192.0.2.1', port)).toThrow(RangeError);
  });
});

describe('formatEndpoint and parseEndpoint', () => {
  it('write and read the usual notation', () => {
    expect(formatEndpoint(endpoint('192.0.2.1', 80))).toBe('192.0.2.1:80');
    expect(formatEndpoint(endpoint('2001:db8::1', 80))).toBe('[2001:db8::1]:80');
    expect(parseEndpoint('[::ffff:192.0.2.1]:80')).toEqual(endpoint('192.0.2.1', 80));
  });

  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(anyEndpoint, (at) => {
        expect(parseEndpoint(formatEndpoint(at))).toEqual(at);
      }),
    );
  });

  it.each([
    '',
    '192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:65536',
    '192.0.2.1:-1',
    '2001:db8::1:80',
    '[2001:db8::1]',
    '[]:80',
    'example.org:80',
    ':80',
  ])('parseEndpoint refuses %j', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});

describe('sameEndpoint', () => {
  it('compares address and port', () => {
    const at = endpoint('192.0.2.1', 80);
    expect(sameEndpoint(at, endpoint('::ffff:192.0.2.1', 80))).toBe(true);
    expect(sameEndpoint(at, endpoint('192.0.2.1', 81))).toBe(false);
    expect(sameEndpoint(at, endpoint('192.0.2.2', 80))).toBe(false);
  });
});

describe('isReachableUnicast', () => {
  it.each(['192.0.2.1:80', '10.0.0.1:80', '100.64.0.1:80', '[fe80::1%eth0]:80', '[2001:db8::1]:80'])(
    'takes %s',
    (text) => {
      expect(isReachableUnicast(parseEndpoint(text)!)).toBe(true);
    },
  );

  it.each([
    '192.0.2.1:0',
    '127.0.0.1:80',
    '0.0.0.0:80',
    '[fec0::1]:80',
    '[::192.0.2.1]:80',
    '224.0.0.1:80',
    '255.255.255.255:80',
    '[::]:80',
    '[::1]:80',
    '[ff02::1]:80',
    '[::ffff:127.0.0.1]:80',
  ])('refuses %s', (text) => {
    expect(isReachableUnicast(parseEndpoint(text)!)).toBe(false);
  });

  it('takes loopback where that is allowed, and nothing else besides', () => {
    for (const text of ['127.0.0.1:80', '[::1]:80']) expect(isReachableUnicast(parseEndpoint(text)!, true)).toBe(true);
    for (const text of ['127.0.0.1:0', '0.0.0.0:80', '224.0.0.1:80']) {
      expect(isReachableUnicast(parseEndpoint(text)!, true)).toBe(false);
    }
  });
});
