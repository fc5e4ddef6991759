import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { within } from '../../src/core/within.ts';
import { manualClock } from '../manual-clock.ts';

const never = new AbortController().signal;

describe('within', () => {
  it('brings what its work brings, and its errors, and leaves no timer', async () => {
    const clock = manualClock();
    expect(await within(clock, 'waiting', 1_000, never, async () => 7)).toBe(7);
    const failing = within(clock, 'waiting', 1_000, never, () => Promise.reject(new RangeError('no')));
    await expect(failing).rejects.toThrow(RangeError);
    expect(clock.pending).toBe(0);
  });

  it('ends with ERR_TIMEOUT when the time is over, and tells the work', async () => {
    const clock = manualClock();
    let told: unknown;
    const late = within(clock, 'waiting', 1_000, never, (signal) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return new Promise(() => {});
    });
    clock.advance(1_000);
    await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(told).toMatchObject({ code: 'ERR_TIMEOUT' });
  });

  it('ends with what its outer signal was aborted with, before it begins or while it works', async () => {
    const clock = manualClock();
    const abort = new AbortController();
    const working = within(clock, 'waiting', 1_000, abort.signal, () => new Promise(() => {}));
    abort.abort('enough');
    await expect(working).rejects.toBe('enough');
    await expect(within(clock, 'waiting', 1_000, abort.signal, async () => 7)).rejects.toBe('enough');
    expect(clock.pending).toBe(0);
  });

  it('does not listen to its signal any more when it is over, so that one of many calls does not keep them all', async () => {
    let signal = never;
    await within(manualClock(), 'waiting', 1_000, never, async (given) => {
      signal = given;
    });
    expect(signal).not.toBe(never);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
