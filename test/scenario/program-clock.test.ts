import { expect, it } from 'vitest';
import { ProgramClock } from '../../src/scenario/program-clock.ts';
import { manualClock } from '../manual-clock.ts';

it('counts the timers that are still to come', () => {
  const time = manualClock();
  const clock = new ProgramClock(time);
  const fired: string[] = [];
  clock.setTimeout(() => fired.push(`first at ${clock.now()}, ${clock.pending} left`), 5);
  const second = clock.setTimeout(() => fired.push('second'), 10);
  expect(clock.pending).toBe(2);
  time.advance(5);
  expect(fired).toEqual(['first at 5, 1 left']);
  clock.clearTimeout(second);
  clock.clearTimeout(undefined);
  expect([clock.pending, time.pending]).toEqual([0, 0]);
  expect(clock.wallTime()).toBe(time.wallTime());
});

it('stands still once it is stopped', () => {
  const time = manualClock();
  const clock = new ProgramClock(time);
  const fired: string[] = [];
  clock.setTimeout(() => fired.push('before'), 5);
  clock.stop();
  clock.clearTimeout(clock.setTimeout(() => fired.push('after'), 5));
  expect([clock.pending, time.pending]).toEqual([0, 0]);
  time.advance(10);
  expect(fired).toEqual([]);
});
