import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BURST, createPace } from '../../../src/protocol/spray/pace.ts';

describe('a pace', () => {
  test('lets the first go at once and the others at the rate', () => {
    const pace = createPace(3, 100, 5);
    expect(pace.nextAt).toBe(5);
    expect(pace.take(5)).toBe(1);
    expect(pace.nextAt).toBe(15);
    expect(pace.take(14)).toBe(0);
    expect(pace.take(25)).toBe(2);
    expect(pace.nextAt).toBeUndefined();
    expect(pace.take(100)).toBe(0);
  });

  test('has nothing to wait for without packets', () => {
    expect(createPace(0, 1000, 0).nextAt).toBeUndefined();
  });

  test('makes up for a few that are late, and puts off the rest', () => {
    const pace = createPace(1000, 1000, 0);
    expect(pace.take(200)).toBe(BURST);
    expect(pace.take(200)).toBe(0);
    expect(pace.nextAt).toBe(201);
    expect(pace.take(201)).toBe(1);
  });

  test('sends all of them, whenever it is asked, and in no second more than the rate and a burst', () => {
    const looks = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 2000 }), looks, (count, rate, delays) => {
        const pace = createPace(count, rate, 0);
        const sent: { readonly at: number; readonly packets: number }[] = [];
        let now = 0;
        for (let i = 0; pace.nextAt !== undefined; i++) {
          now = Math.max(now, pace.nextAt) + (delays[i] ?? 0);
          sent.push({ at: now, packets: pace.take(now) });
        }
        expect(sent.reduce((sum, { packets }) => sum + packets, 0)).toBe(count);
        for (const { at } of sent) {
          const inSecond = sent.filter((one) => one.at >= at && one.at < at + 1000);
          expect(inSecond.reduce((sum, { packets }) => sum + packets, 0)).toBeLessThanOrEqual(rate + BURST + 1);
        }
      }),
    );
  });
});
