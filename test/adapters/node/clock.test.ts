import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/node/index.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('systemClock', () => {
  const clock = systemClock();
  let fired = 0;
  const fire = () => fired++;

  beforeEach(() => {
    fired = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells monotonic and wall time in ms', () => {
    const [now, wallTime] = [clock.now(), clock.wallTime()];
    vi.advanceTimersByTime(1500);
    expect(clock.now() - now).toBe(1500);
    expect(clock.wallTime() - wallTime).toBe(1500);
  });

  it('calls once, after the delay', () => {
    clock.setTimeout(fire, 100);
    vi.advanceTimersByTime(99);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(fired).toBe(1);
  });

  it('never calls early for a fraction', () => {
    clock.setTimeout(fire, 1.2);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });

  it('takes delays that are longer than the timers of Node', () => {
    clock.setTimeout(fire, 60 * DAY);
    vi.advanceTimersByTime(60 * DAY - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });

  it('does not call after it was cleared, however long it has waited', () => {
    const [short, long] = [clock.setTimeout(fire, 100), clock.setTimeout(fire, 60 * DAY)];
    clock.clearTimeout(short);
    vi.advanceTimersByTime(30 * DAY);
    clock.clearTimeout(long);
    vi.advanceTimersByTime(60 * DAY);
    expect(fired).toBe(0);
  });
});
