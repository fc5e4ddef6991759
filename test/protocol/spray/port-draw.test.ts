import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawPorts, NAT_PORTS } from '../../../src/protocol/spray/port-draw.ts';
import { meanProbes, PORT_POOL, sprayProbability } from '../../../src/sim/oracle/probability.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

describe('ports that are drawn', () => {
  test('are different ones that a NAT gives out', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 1500 }), (seed, count) => {
        const ports = drawPorts(seededRandom(seed), count);
        expect(ports).toHaveLength(count);
        expect(new Set(ports).size).toBe(count);
        for (const port of ports) expect(port >= NAT_PORTS.first && port <= NAT_PORTS.last).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('can be all there are', () => {
    const ports = drawPorts(seededRandom(1), NAT_PORTS.count);
    expect(NAT_PORTS.count).toBe(PORT_POOL);
    expect(new Set(ports).size).toBe(PORT_POOL);
    expect(Math.min(...ports)).toBe(NAT_PORTS.first);
    expect(Math.max(...ports)).toBe(NAT_PORTS.last);
  });

  test('are the same for the same chance', () => {
    expect(drawPorts(seededRandom('a'), 100)).toEqual(drawPorts(seededRandom('a'), 100));
    expect(drawPorts(seededRandom('a'), 100)).not.toEqual(drawPorts(seededRandom('b'), 100));
  });

  test('are spread evenly, wherever in the row they stand', () => {
    const eighths = Array.from({ length: 8 }, () => 0);
    for (let seed = 0; seed < 100; seed++) {
      for (const port of drawPorts(seededRandom(seed), 1000)) {
        eighths[Math.floor(((port - NAT_PORTS.first) * 8) / NAT_PORTS.count)]!++;
      }
    }
    // 12,500 each, give or take five standard deviations of 105.
    for (const count of eighths) expect(Math.abs(count - 12_500)).toBeLessThan(525);
  });
});

/** Runs in which one of `probes` drawn ports is one of `sockets`, and at which probe the first hit was. */
function spray(sockets: number, probes: number, runs: number): { readonly hits: number; readonly meanFirst: number } {
  const firsts: number[] = [];
  for (let seed = 0; seed < runs; seed++) {
    const random = seededRandom(seed);
    const open = new Set(drawPorts(random.stream('nat'), sockets));
    const first = drawPorts(random.stream('prober'), probes).findIndex((port) => open.has(port));
    if (first >= 0) firsts.push(first + 1);
  }
  return { hits: firsts.length, meanFirst: firsts.reduce((sum, first) => sum + first, 0) / firsts.length };
}

describe('a spray', () => {
  test.each([
    [256, 1024, 0.9835],
    [256, 577, 0.9],
    [256, 175, 0.5],
    [64, 1024, 0.64],
  ])('of %i sockets and %i probes hits as often as the formula says: %f', (sockets, probes, expected) => {
    const probability = sprayProbability(sockets, probes);
    expect(probability).toBeCloseTo(expected, 2);
    const runs = 600;
    const deviation = Math.sqrt(runs * probability * (1 - probability));
    const { hits } = spray(sockets, probes, runs);
    expect(Math.abs(hits - runs * probability)).toBeLessThan(4 * deviation);
  });

  test('takes some 250 probes', () => {
    const { meanFirst } = spray(256, 2048, 400);
    // Its standard deviation is about 12.
    expect(Math.abs(meanFirst - meanProbes(256))).toBeLessThan(40);
  });
});
