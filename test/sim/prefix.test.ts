import { describe, expect, it } from 'vitest';
import { addressAt, contains, formatPrefix, overlap, parsePrefix } from '../../src/sim/prefix.ts';

describe('a block of addresses', () => {
  it.each(['0.0.0.0/0', '192.168.1.0/24', '100.64.0.0/10', '203.0.113.7/32', '2001:db8::/64', '::/0', '::1/128'])(
    'reads and writes %s',
    (text) => {
      expect(formatPrefix(parsePrefix(text)!)).toBe(text);
    },
  );

  it.each(['192.168.1.0', '192.168.1.1/24', '192.168.1.0/33', 'home/24', '2001:db8::1/64', '::/129', '/24', ''])(
    'does not read %s',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
    },
  );

  it.each([
    ['100.64.0.0/10', '100.127.255.255', true],
    ['100.64.0.0/10', '100.128.0.0', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/63', '2001:db8:0:1::7', true],
    ['2001:db8::/63', '2001:db8:0:2::7', false],
  ])('%s contains %s: %s', (block, address, inside) => {
    expect(contains(parsePrefix(block)!, address)).toBe(inside);
  });

  it('counts addresses up to the last one', () => {
    const block = parsePrefix('192.168.0.0/23')!;
    expect([0, 1, 256, 511, 512].map((offset) => addressAt(block, offset))).toEqual([
      '192.168.0.0',
      '192.168.0.1',
      '192.168.1.0',
      '192.168.1.255',
      undefined,
    ]);
    expect(addressAt(parsePrefix('2001:db8::/64')!, 65_537)).toBe('2001:db8::1:1');
    expect(addressAt(parsePrefix('255.255.255.0/24')!, 256)).toBeUndefined();
  });

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.1.0.0/16', '10.2.0.0/16', false],
    ['0.0.0.0/0', '::/0', false],
  ])('%s overlaps %s: %s', (a, b, expected) => {
    expect(overlap(parsePrefix(a)!, parsePrefix(b)!)).toBe(expected);
  });
});
