import { expect, it } from 'vitest';
import { pause } from '../../src/core/pause.ts';
import { manualClock } from '../manual-clock.ts';

it('fulfils when the time of its clock has come, and not before', async () => {
  const clock = manualClock();
  let isOver = false;
  const paused = pause(clock, 5).then(() => {
    isOver = true;
  });
  clock.advance(4);
  await Promise.resolve();
  expect([isOver, clock.pending]).toEqual([false, 1]);
  clock.advance(1);
  await paused;
  expect([isOver, clock.pending]).toEqual([true, 0]);
});
