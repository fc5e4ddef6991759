import { describe, expect, it } from 'vitest';
import { createRateLimit } from '../../../src/protocol/stun/rate-limit.ts';

describe('the rate limit', () => {
  it('allows a burst, then the rate, and saves up no more than a burst', () => {
    const limit = createRateLimit({ rate: 10, burst: 3, capacity: 8 });
    const admitted = (now: number, tries: number) =>
      Array.from({ length: tries }, () => limit.admit('192.0.2.1', now)).filter(Boolean).length;
    expect(admitted(0, 5)).toBe(3);
    expect(admitted(99, 5)).toBe(0);
    expect(admitted(100, 5)).toBe(1);
    expect(admitted(300, 5)).toBe(2);
    expect(admitted(60_000, 5)).toBe(3);
  });

  it.each([
    ['an IPv4 /24', '192.0.2.1', '192.0.2.254', '192.0.3.1'],
    ['an IPv6 /64', '2001:db8:0:1::1', '2001:db8:0:1:ffff::', '2001:db8:0:2::1'],
  ])('counts %s as one source', (_name, first, neighbour, stranger) => {
    const limit = createRateLimit({ rate: 1, burst: 1, capacity: 8 });
    expect(limit.admit(first, 0)).toBe(true);
    expect(limit.admit(neighbour, 0)).toBe(false);
    expect(limit.admit(stranger, 0)).toBe(true);
  });

  it('remembers a bounded number of networks, those heard of last', () => {
    const limit = createRateLimit({ rate: 1, burst: 1, capacity: 100 });
    limit.admit('198.51.100.1', 0);
    for (let i = 0; i < 1000; i++) {
      limit.admit(`10.${i >> 8}.${i & 0xff}.1`, 0);
      expect(limit.admit('198.51.100.1', 0)).toBe(false);
      expect(limit.size).toBeLessThanOrEqual(100);
    }
    expect(limit.size).toBe(100);
  });
});
