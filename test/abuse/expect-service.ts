import { expect } from 'vitest';
import type { Experience } from './experience.ts';

/**
 * A bystander got an answer to each ping and, but for what `refused` says, to each dial, and waited no longer than so
 * many times what it waited in the quiet. Below a floor the quiet is no measure: there the machine decides, not the
 * target.
 */
export function expectService(quiet: Experience, loaded: Experience, refused: readonly string[] = []): void {
  expect([loaded.pings.answered, loaded.pings.sent > 10]).toEqual([loaded.pings.sent, true]);
  expect(loaded.pings.p99 / Math.max(quiet.pings.p99, FLOOR.p99)).toBeLessThan(SLOWDOWN);
  expect(loaded.dials.failures.filter((failure) => !refused.includes(failure))).toEqual([]);
  expect([quiet.dials.made > 0, loaded.dials.made > 2]).toEqual([true, true]);
  expect(loaded.dials.max / Math.max(quiet.dials.max, FLOOR.dial)).toBeLessThan(SLOWDOWN);
}

/** Most times as long under load. */
const SLOWDOWN = 20;
/** ms. */
const FLOOR = { p99: 50, dial: 100 };
