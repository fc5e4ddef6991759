import { describe, test } from 'vitest';
import { propertyTest } from '../../src/testing/index.ts';
import { pairs } from './pairs.ts';

/** Of all pairs together; `npm run model random` makes 10,000. */
const RUNS = 300;

describe('random sequences', () => {
  const all = pairs();
  test.each(all.map(({ title }, i) => [title, i] as const))('%s', { timeout: 300_000 }, async (_, i) => {
    await propertyTest({ model: all[i]!.model, runs: Math.ceil(RUNS / all.length), seed: 20_260_000 + i });
  });
});
