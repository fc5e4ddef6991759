import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, randomInteger } from '../../src/core/random.ts';

/** Gives the words in turn, big-endian. */
function scripted(...words: number[]): Random {
  return {
    bytes(length) {
      const word = words.shift();
      if (word === undefined) throw new Error('asked for more chance than expected');
      const bytes = Buffer.alloc(length);
      bytes.writeUInt32BE(word);
      return bytes;
    },
  };
}

describe('randomInteger', () => {
  it('stays below its bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat({ max: 2 ** 31 - 1 }), (below, word) => {
        const value = randomInteger(scripted(word, 0), below);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(below);
      }),
    );
  });

  it('reaches both ends of the range', () => {
    expect(randomInteger(scripted(0), 2 ** 32)).toBe(0);
    expect(randomInteger(scripted(2 ** 32 - 1), 2 ** 32)).toBe(2 ** 32 - 1);
    expect(randomInteger(scripted(9), 10)).toBe(9);
  });

  it('draws again where the remainder would favour small values', () => {
    // 2^32 = 10 x 429496729 + 6, so the last six words are one too many for 0..5.
    expect(randomInteger(scripted(2 ** 32 - 7), 10)).toBe(9);
    expect(randomInteger(scripted(2 ** 32 - 6, 3), 10)).toBe(3);
    expect(randomInteger(scripted(2 ** 32 - 1, 4), 10)).toBe(4);
  });
});
