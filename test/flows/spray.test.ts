import { beforeAll, describe, expect, test } from 'vitest';
import { spray } from '../../src/flows/index.ts';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { PROBE_BUDGET } from '../../src/protocol/spray/index.ts';
import { sprayProbability } from '../../src/sim/oracle/probability.ts';
import type { NatKind } from '../../src/testing/matrix/nat-kind.ts';
import { meet, type SprayedHomes, strategiesOf } from './sprayed-homes.ts';

/** Pairs that nothing but a spray joins, with strict filters and random ports. */
const SPRAYED: readonly (readonly [NatKind, NatKind])[] = [
  ['EI/APD', 'AD/EI'],
  ['EI/APD', 'AD/AD'],
  ['EI/APD', 'AD/APD'],
  ['EI/APD', 'APD/EI'],
  ['EI/APD', 'APD/AD'],
  ['EI/APD', 'APD/APD'],
  ['AD/EI', 'AD/APD'],
  ['AD/EI', 'APD/APD'],
  ['AD/AD', 'AD/AD'],
  ['AD/AD', 'AD/APD'],
  ['AD/AD', 'APD/AD'],
  ['AD/AD', 'APD/APD'],
];

/** Pairs that nothing joins. */
const HOPELESS: readonly (readonly [NatKind, NatKind])[] = [
  ['AD/APD', 'AD/APD'],
  ['AD/APD', 'APD/EI'],
  ['AD/APD', 'APD/AD'],
  ['AD/APD', 'APD/APD'],
  ['APD/EI', 'APD/EI'],
  ['APD/EI', 'APD/AD'],
  ['APD/EI', 'APD/APD'],
  ['APD/AD', 'APD/AD'],
  ['APD/AD', 'APD/APD'],
  ['APD/APD', 'APD/APD'],
];

describe('a spray', () => {
  test.each(SPRAYED.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]))('joins %s with %s', async (a, b) => {
    const { dial, forecast, sent } = await meet(a, b, { seed: 2 });
    expect(forecast.best).toBe('spray');
    expect(dial.outcome).toBe('direct');
    expect(strategiesOf(dial)).toEqual(['spray', 'spray']);
    expect(dial.direct).toBeLessThan(1500);
    // Checks are told from probes by nothing that can be seen.
    for (const [way, packets] of sent) expect(packets, way).toBeLessThan(PROBE_BUDGET.address + CHECK_BUDGET.host);
  });

  test.each(HOPELESS)('does not join %s with %s', async (a, b) => {
    const { dial, forecast } = await meet(a, b, { seed: 2 });
    expect(forecast.best).toBe('relay');
    expect(dial.outcome).toBe('relayed');
  });

  test('is not even begun where the ports of both sides are by chance', async () => {
    const { dial } = await meet('APD/APD', 'APD/APD', { seed: 2 });
    expect(dial.dialer!.packets).toBeLessThan(100);
  });

  test('is not begun where checks join them', async () => {
    const { dial, sent } = await meet('EI/AD', 'APD/APD', { seed: 2 });
    expect(strategiesOf(dial)).toEqual(['checks', 'checks']);
    for (const packets of sent.values()) expect(packets).toBeLessThan(CHECK_BUDGET.endpoint);
  });
});

describe('40 sprays of EI/APD and APD/APD', () => {
  let runs: readonly SprayedHomes[];

  beforeAll(async () => {
    const made: SprayedHomes[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      made.push(await (seed % 2 === 0 ? meet('EI/APD', 'APD/APD', { seed }) : meet('APD/APD', 'EI/APD', { seed })));
    }
    runs = made;
  }, 120_000);

  test('hit as often as is to be expected of 256 sockets and 1024 probes', () => {
    const probability = sprayProbability(256, 1024);
    expect(runs[0]!.forecast.prospects.find(({ technique }) => technique === 'spray')?.probability).toBe(probability);
    const missed = runs.filter(({ dial }) => dial.outcome !== 'direct').length;
    // 0.66 of 40 on average; five or more would be by chance once in 2000 times.
    expect(missed).toBeLessThan(5);
  });

  test('take less than 1.5 s from the dial, and half of them less than 0.7 s', () => {
    const times = runs.flatMap(({ dial }) => dial.direct ?? []).sort((a, b) => a - b);
    expect(times.at(-1)).toBeLessThan(1500);
    expect(times[times.length >> 1]).toBeLessThan(700);
  });
});

describe('a spray’s bounds', () => {
  test('are what its options say', () => {
    const { bounds, twoSided } = spray().strategy;
    expect(bounds).toMatchObject({ sockets: 256, packets: 1280 + 64 });
    expect(twoSided).toEqual({ version: 1, vouched: true });
    expect(spray({ packets: 100, sockets: 10, rate: 10 }).strategy.bounds).toMatchObject({ sockets: 10, time: 30_000 });
  });

  test.each([
    [{ packets: 1301 }, 'spray.packets: 1301'],
    [{ packets: 100, sockets: 100 }, 'spray.sockets: 100'],
    [{ sockets: 0 }, 'spray.sockets: 0'],
    [{ rate: 17 }, 'spray.rate: 17'],
    [{ rate: 10_001 }, 'spray.rate: 10001'],
    [{ packets: 10.5 }, 'spray.packets: 10.5'],
  ])('refuse %j', (options, message) => {
    expect(() => spray(options)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});
