import { describe, expect, it } from 'vitest';
import { createBackoff } from '../../src/core/backoff.ts';
import { seededRandom } from '../seeded-random.ts';

const ceilings = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];

describe('backoff', () => {
  it('doubles up to 30 s, each wait cut by chance to between half and all of it', () => {
    const backoff = createBackoff(seededRandom('one'));
    for (const ceiling of ceilings) {
      const wait = backoff.next();
      expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
      expect(wait).toBeLessThanOrEqual(ceiling);
    }
  });

  it('keeps two that began together apart', () => {
    const [one, other] = [createBackoff(seededRandom('one')), createBackoff(seededRandom('other'))];
    expect(ceilings.map(() => one.next())).not.toEqual(ceilings.map(() => other.next()));
  });

  it('begins again after a reset', () => {
    const backoff = createBackoff(seededRandom('one'));
    for (const _ of ceilings) backoff.next();
    backoff.reset();
    expect(backoff.next()).toBeLessThanOrEqual(500);
  });
});
