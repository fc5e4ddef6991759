import { describe, expect, it } from 'vitest';
import { randomInteger } from '../../src/core/random.ts';
import { seededRandom, xoshiro128 } from '../../src/sim/seeded-random.ts';

describe('seeded chance', () => {
  it('is xoshiro128**: the first outputs for the state 1, 2, 3, 4 of its authors’ code', () => {
    const next = xoshiro128(Uint32Array.of(1, 2, 3, 4));
    expect(Array.from({ length: 6 }, next)).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
  });

  it('is the same for the same seed, on every machine', () => {
    const random = seededRandom(7);
    expect([random.uint32(), random.uint32(), random.below(1000)]).toMatchInlineSnapshot(`
      [
        1240788670,
        164930932,
        10,
      ]
    `);
    expect(Buffer.from(seededRandom('7').stream('a').bytes(7)).toString('hex')).toMatchInlineSnapshot(
      `"7bf0c6e7e84d87"`,
    );
  });

  it('has streams by name that do not depend on what was drawn elsewhere', () => {
    const [untouched, used] = [seededRandom(1), seededRandom(1)];
    for (let i = 0; i < 10; i++) used.uint32();
    used.stream('other').bytes(100);
    expect(used.stream('link').bytes(16)).toEqual(untouched.stream('link').bytes(16));
    expect(used.stream('link').bytes(16)).not.toEqual(untouched.stream('knil').bytes(16));
    expect(seededRandom(2).stream('link').bytes(16)).not.toEqual(untouched.stream('link').bytes(16));
  });

  it('has streams whose names do not run together', () => {
    const random = seededRandom(1);
    const draw = (...names: string[]): number => names.reduce((source, name) => source.stream(name), random).uint32();
    expect(draw('a/b')).not.toBe(draw('a', 'b'));
    expect(draw('a', 'b/c')).not.toBe(draw('a/b', 'c'));
    expect(draw('a1:b')).not.toBe(draw('a', 'b'));
    expect(seededRandom('1/a').uint32()).not.toBe(draw('a'));
    expect(seededRandom('11:a').uint32()).not.toBe(draw('a'));
  });

  it('draws integers uniformly', () => {
    const random = seededRandom('uniform');
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;
    // Expected 10,000 each; the standard deviation is 95.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    for (let i = 0; i < 1_000; i++) expect(randomInteger(random, 3)).toBeLessThan(3);
  });

  it.each([0, 1, 3, 4, 5, 64])('gives %d bytes', (length) => {
    expect(seededRandom(3).bytes(length)).toHaveLength(length);
  });
});
