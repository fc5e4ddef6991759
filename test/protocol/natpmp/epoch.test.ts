import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { natPmpEpoch } from '../../../src/protocol/natpmp/index.ts';

describe('Seconds Since Start of Epoch (RFC 6886 section 3.6)', () => {
  it('takes the first for granted', () => {
    expect(natPmpEpoch().observe(0, 1_000_000)).toBe(false);
  });

  it.each([
    ['as time passed', 1000 + 800, false],
    ['by a clock that loses one second in eight, and 2 s more', 1000 + 700 - 2, false],
    ['one second behind that', 1000 + 700 - 3, true],
    ['from zero', 0, true],
    ['far ahead', 1_000_000, false],
  ])('800 s later %s', (_what, seconds, restarted) => {
    const epoch = natPmpEpoch();
    epoch.observe(1000, 5000);
    expect(epoch.observe(seconds, 805_000)).toBe(restarted);
  });

  it('compares with the latest, restart or not', () => {
    const epoch = natPmpEpoch();
    epoch.observe(1000, 0);
    expect(epoch.observe(0, 1000)).toBe(true);
    expect(epoch.observe(1, 2000)).toBe(false);
  });

  it('never suspects a gateway whose clock runs between 7/8 and twice as fast', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.double({ min: 0.875, max: 2, noNaN: true }), (gaps, rate) => {
        const epoch = natPmpEpoch();
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          expect(epoch.observe(Math.floor((now / 1000) * rate), now)).toBe(false);
        }
      }),
    );
  });
});
