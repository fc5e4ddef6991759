import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteRing } from '../../../src/sim/tcp/byte-ring.ts';

describe('the byte ring', () => {
  it('takes what there is room for', () => {
    const ring = new ByteRing(2048);
    expect(ring.push(new Uint8Array(3_000))).toBe(2_048);
    expect([ring.length, ring.room]).toEqual([2_048, 0]);
    expect(ring.push(Uint8Array.of(1))).toBe(0);
  });

  it('agrees with a plain array whatever is pushed, read and dropped', () => {
    const step = fc.record({ push: fc.nat({ max: 900 }), drop: fc.nat({ max: 900 }), at: fc.nat({ max: 900 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ring = new ByteRing(4096);
        let model: number[] = [];
        let next = 0;
        for (const { push, drop, at } of steps) {
          const bytes = Uint8Array.from({ length: push }, () => next++);
          model.push(...bytes.subarray(0, ring.push(bytes)));
          const gone = Math.min(drop, ring.length);
          ring.drop(gone);
          model = model.slice(gone);
          const from = Math.min(at, model.length);
          expect([...ring.slice(from, model.length - from)]).toEqual(model.slice(from));
          expect(ring.length).toBe(model.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});
