import { describe, expect, it } from 'vitest';
import { createTokenBucket, type TokenBucket } from '../../src/core/token-bucket.ts';

const taken = (bucket: TokenBucket, now: number, tries: number): number =>
  Array.from({ length: tries }, () => bucket.take(1, now)).filter(Boolean).length;

describe('a token bucket', () => {
  it('gives a burst, then the rate, and saves up no more than a burst', () => {
    const bucket = createTokenBucket({ rate: 10, burst: 3 }, 1_000);
    expect(taken(bucket, 1_000, 5)).toBe(3);
    expect(taken(bucket, 1_099, 5)).toBe(0);
    expect(taken(bucket, 1_100, 5)).toBe(1);
    expect(taken(bucket, 1_300, 5)).toBe(2);
    expect(taken(bucket, 60_000, 5)).toBe(3);
  });

  it('spends nothing when too little is left, nor when it is only asked', () => {
    const bucket = createTokenBucket({ rate: 1, burst: 10 }, 0);
    expect([bucket.take(11, 0), bucket.has(10, 0), bucket.has(11, 0), bucket.take(10, 0)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('spends of a shared one too, or of neither', () => {
    const shared = createTokenBucket({ rate: 1, burst: 3 }, 0);
    const [one, two] = [2, 4].map((burst) => createTokenBucket({ rate: 1, burst }, 0, shared));
    expect([taken(one!, 0, 5), taken(two!, 0, 5)]).toEqual([2, 1]);
    expect([two!.has(3, 0), two!.has(4, 0)]).toEqual([true, false]);
  });
});
