import { describe, expect, test } from 'vitest';
import { predict } from '../../src/flows/index.ts';
import { NAT_PAIRS } from '../../src/testing/matrix/nat-kind.ts';
import { meet, strategiesOf } from './sprayed-homes.ts';

describe('a prediction', () => {
  test.each(NAT_PAIRS)('or checks join %s with %s, where ports are given out in sequence', async (a, b) => {
    const { dial, forecast } = await meet(a, b, { seed: 1, portAllocation: { sequential: 1 } });
    const strategy = forecast.best === 'predict' ? 'predict' : 'checks';
    expect(['predict', 'reflexive']).toContain(forecast.best);
    expect(dial.outcome).toBe('direct');
    expect(strategiesOf(dial)).toEqual([strategy, strategy]);
    expect(dial.direct).toBeLessThan(strategy === 'predict' ? 600 : 300);
  });

  test.each([2, 7, 500])('joins both ways where the step is %i', async (sequential) => {
    for (const [a, b] of [
      ['APD/APD', 'AD/APD'],
      ['AD/APD', 'APD/APD'],
    ] as const) {
      const { dial } = await meet(a, b, { seed: 3, portAllocation: { sequential } });
      expect([dial.outcome, ...strategiesOf(dial)]).toEqual(['direct', 'predict', 'predict']);
    }
  });

  test('sends no more than three times its window and what it takes to look', async () => {
    const { sent } = await meet('APD/APD', 'APD/APD', { seed: 1, portAllocation: { sequential: 1 } });
    for (const [way, packets] of sent) expect(packets, way).toBeLessThan(3 * 64 + 64);
  });

  test('is not begun where ports are by chance', async () => {
    const { dial } = await meet('APD/APD', 'APD/APD', { seed: 1 });
    const attempts = dial.dialer!.verdict!.attempts.filter(({ strategy }) => strategy === 'predict');
    expect(attempts.filter(({ sent = 0 }) => sent > 0)).toEqual([]);
    expect(dial.outcome).toBe('relayed');
  });
});

describe('its bounds', () => {
  test('are what its options say', () => {
    const { bounds, twoSided } = predict({ window: 10 }).strategy;
    expect(bounds).toMatchObject({ sockets: 5, packets: 4 * 4 + 3 * 10 + 32 });
    expect(twoSided).toEqual({ version: 1, vouched: true });
  });

  test.each([0, 257, 1.5])('refuse a window of %d', (window) => {
    expect(() => predict({ window })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
