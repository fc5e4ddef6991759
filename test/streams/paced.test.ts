import { describe, expect, it } from 'vitest';
import { paced } from '../../src/streams/paced.ts';
import { manualClock } from '../manual-clock.ts';

describe('paced', () => {
  it('counts at its rate, the first at once, and completes with the last', () => {
    const clock = manualClock();
    const seen: string[] = [];
    paced(clock, 4, 100).subscribe({
      next: (i) => seen.push(`${i} at ${clock.now()}`),
      complete: () => seen.push('end'),
    });
    expect(seen).toEqual(['0 at 0']);
    clock.advance(100);
    expect(seen).toEqual(['0 at 0', '1 at 10', '2 at 20', '3 at 30', 'end']);
    expect(clock.pending).toBe(0);
  });

  it('completes at once where there is nothing to count', () => {
    let complete = false;
    paced(manualClock(), 0, 100).subscribe({ complete: () => (complete = true) });
    expect(complete).toBe(true);
  });

  it('ends, and leaves no timer, when it is unsubscribed from, be it in the middle of several at once', () => {
    const clock = manualClock();
    const seen: number[] = [];
    const subscription = paced(clock, 100, 2000).subscribe((i) => {
      seen.push(i);
      if (i === 2) subscription.unsubscribe();
    });
    clock.advance(50);
    expect(seen).toEqual([0, 1, 2]);
    expect(clock.pending).toBe(0);
  });
});
