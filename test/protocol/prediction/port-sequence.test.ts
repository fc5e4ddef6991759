import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isPortSequence,
  mayBeInSequence,
  portAfter,
  readSequence,
} from '../../../src/protocol/prediction/port-sequence.ts';
import { drawPorts, NAT_PORTS } from '../../../src/protocol/spray/index.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

describe('a sequence of ports', () => {
  test.each([
    [[2000, 2001, 2002, 2003], { last: 2003, step: 1 }],
    [[2000, 2002, 2004, 2006], { last: 2006, step: 2 }],
    [[2000, 1993, 1986, 1979], { last: 1979, step: -7 }],
    [[2000, 2001, 2004, 2005], { last: 2005, step: 1 }],
    [[2000, 2002, 2006, 2008], { last: 2008, step: 2 }],
    [[65_534, 65_535, 1024, 1025], { last: 1025, step: 1 }],
    [[1025, 1024, 65_535, 65_534], { last: 65_534, step: -1 }],
    [[2000, 2512, 3024, 3536], { last: 3536, step: 512 }],
    [[4000, 4000, 4000], { last: 4000, step: 0 }],
  ])('is read from %j', (ports, expected) => {
    expect(readSequence(ports)).toEqual(expected);
  });

  test.each([
    ['nothing', []],
    ['one port', [2000]],
    ['ports at random', [2000, 41_234, 9876, 60_001]],
    ['steps up and down', [2000, 2001, 2000, 2001]],
    ['steps with a stop', [2000, 2001, 2001, 2002]],
    ['steps too wide to be one of the NAT', [2000, 5000, 8000, 11_000]],
    ['steps that have too little in common', [2000, 2001, 2040, 2041]],
  ])('is not read from %s', (_, ports) => {
    expect(readSequence(ports)).toBeUndefined();
  });

  test('is read from what a NAT gives out, with a few ports in between for others', () => {
    const ports = fc.record({
      first: fc.integer({ min: NAT_PORTS.first, max: NAT_PORTS.last }),
      step: fc.integer({ min: -512, max: 512 }).filter((step) => step !== 0),
      foreign: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 3, maxLength: 6 }),
    });
    fc.assert(
      fc.property(ports, ({ first, step, foreign }) => {
        const start = { last: first, step };
        // One step alone shows what the step is; and the shorter way around must be the right one.
        const counts = [...foreign.map((count) => count % Math.max(1, Math.floor(16_000 / Math.abs(step)))), 0];
        let taken = 0;
        const seen = counts.map((count) => {
          taken += count + 1;
          return portAfter(start, taken - 1);
        });
        expect(readSequence([first, ...seen])).toEqual({ last: seen.at(-1), step });
      }),
    );
  });

  test('is hardly ever read from ports at random', () => {
    let read = 0;
    for (let seed = 0; seed < 20_000; seed++) if (readSequence(drawPorts(seededRandom(seed), 4)) !== undefined) read++;
    expect(read).toBe(0);
  });

  test('goes on around the end of the ports', () => {
    expect(portAfter({ last: 2000, step: 1 }, 0)).toBe(2001);
    expect(portAfter({ last: 2000, step: 2 }, 3)).toBe(2008);
    expect(portAfter({ last: 65_535, step: 1 }, 0)).toBe(1024);
    expect(portAfter({ last: 1024, step: -3 }, 1)).toBe(65_530);
    expect(portAfter({ last: 2000, step: 0 }, 9)).toBe(2000);
  });
});

describe('ports in whatever order', () => {
  test.each([
    [[]],
    [[2000]],
    [[2003, 2000, 2002, 2001]],
    [[2000, 2000]],
    [[1025, 65_535, 1024, 65_534]],
    [[2000, 2512, 3024]],
  ])('may be in sequence: %j', (ports) => {
    expect(mayBeInSequence(ports)).toBe(true);
  });

  test.each([[[2000, 41_234, 9876, 60_001]], [[2000, 20_000]], [[2000, 2001, 30_000, 50_000]]])(
    'are not: %j',
    (ports) => {
      expect(mayBeInSequence(ports)).toBe(false);
    },
  );

  test('four at random hardly ever seem to be', () => {
    let seeming = 0;
    for (let seed = 0; seed < 10_000; seed++) if (mayBeInSequence(drawPorts(seededRandom(seed), 4))) seeming++;
    expect(seeming).toBeLessThan(5);
  });
});

describe('what another peer says of its NAT', () => {
  test.each([
    [{ last: 2000, step: 1 }, true],
    [{ last: 1, step: -1024 }, true],
    [{ last: 65_535, step: 0 }, true],
    [{ last: 0, step: 1 }, false],
    [{ last: 65_536, step: 1 }, false],
    [{ last: 2000, step: 1025 }, false],
    [{ last: 2000.5, step: 1 }, false],
    [{ last: '2000', step: 1 }, false],
    [{ last: 2000, step: Number.NaN }, false],
    [{ last: 2000, step: undefined }, false],
  ])('may be %j: %s', (value, expected) => {
    expect(isPortSequence(value as { last: unknown; step: unknown })).toBe(expected);
  });
});
