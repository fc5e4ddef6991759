import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcpEpoch } from '../../../src/protocol/pcp/index.ts';

describe('the Epoch Time (RFC 6887 section 8.5)', () => {
  it('is valid at first, whatever it is', () => {
    expect(pcpEpoch().observe(4_000_000_000, 0)).toBe(false);
  });

  it.each([
    ['one second back at once', 0, 999, false],
    ['two seconds back at once', 0, 998, true],
    ['from zero', 160, 0, true],
    ['as time passed', 160, 1160, false],
    ['as slow as a clock may be: 160 - 160/16 - 2', 160, 1148, false],
    ['slower', 160, 1147, true],
    ['as fast as a clock may be: 172 - 172/16 = 162', 160, 1172, false],
    ['faster', 160, 1174, true],
  ])('goes on %s after %d s', (_what, after, seconds, invalid) => {
    const epoch = pcpEpoch();
    epoch.observe(1000, 5_000_000);
    expect(epoch.observe(seconds, 5_000_000 + after * 1000)).toBe(invalid);
  });

  it('is compared with the latest, valid or not', () => {
    const epoch = pcpEpoch();
    epoch.observe(1000, 0);
    expect(epoch.observe(0, 1000)).toBe(true);
    expect(epoch.observe(1, 2000)).toBe(false);
  });

  it('never suspects a server whose clock differs by less than a sixteenth', () => {
    const gaps = fc.array(fc.nat({ max: 100_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(gaps, fc.double({ min: 0.94, max: 1.06, noNaN: true }), (steps, rate) => {
        const epoch = pcpEpoch();
        let now = 0;
        for (const step of steps) {
          now += step;
          expect(epoch.observe(Math.floor((now / 1000) * rate), now)).toBe(false);
        }
      }),
    );
  });
});
