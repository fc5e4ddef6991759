import { debounceTime, delay, interval, map, observeOn, of, Subject, take, timeout, timer, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { clockScheduler } from '../../../src/adapters/sim/index.ts';
import { VirtualClock } from '../../../src/sim/index.ts';

describe('RxJS on the virtual clock', () => {
  function world() {
    const clock = new VirtualClock();
    return { clock, scheduler: clockScheduler(clock), seen: [] as unknown[] };
  }

  it('tells its time', async () => {
    const { clock, scheduler } = world();
    await clock.advance(1_234);
    expect(scheduler.now()).toBe(1_234);
  });

  it('repeats in its time', async () => {
    const { clock, scheduler, seen } = world();
    interval(100, scheduler)
      .pipe(take(3))
      .subscribe((i) => seen.push([i, clock.now()]));
    timer(50, 1_000, scheduler)
      .pipe(take(2))
      .subscribe((i) => seen.push([`t${i}`, clock.now()]));
    await clock.run();
    expect(seen).toEqual([
      ['t0', 50],
      [0, 100],
      [1, 200],
      [2, 300],
      ['t1', 1_050],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('delays, debounces, gives up and moves values in its time', async () => {
    const { clock, scheduler, seen } = world();
    const typed = new Subject<string>();
    typed.pipe(debounceTime(100, scheduler)).subscribe((text) => seen.push([text, clock.now()]));
    for (const [at, text] of [
      [0, 'a'],
      [50, 'ab'],
      [300, 'abc'],
    ] as const)
      clock.setTimeout(() => typed.next(text), at);
    of('late')
      .pipe(delay(500, scheduler))
      .subscribe((text) => seen.push([text, clock.now()]));
    new Subject()
      .pipe(timeout({ first: 700, scheduler }))
      .subscribe({ error: ({ name }) => seen.push([name, clock.now()]) });
    of(1, 2)
      .pipe(
        observeOn(scheduler, 900),
        map((n) => n * 2),
        toArray(),
      )
      .subscribe((all) => seen.push([all, clock.now()]));
    await clock.run();
    expect(seen).toEqual([
      ['ab', 150],
      ['abc', 400],
      ['late', 500],
      ['TimeoutError', 700],
      [[2, 4], 900],
    ]);
  });

  it('leaves no timer behind when a subscription ends', async () => {
    const { clock, scheduler, seen } = world();
    const subscription = interval(100, scheduler).subscribe((i) => seen.push(i));
    await clock.advance(250);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
    expect(seen).toEqual([0, 1]);
  });

  it('does no work that was called off, and none again that is done', async () => {
    const { clock, scheduler, seen } = world();
    const work = scheduler.schedule<number>(
      function (state = 0) {
        seen.push(state);
        if (state < 2) this.schedule(state + 1, 10);
      },
      10,
      0,
    );
    scheduler.schedule(() => seen.push('never'), 5).unsubscribe();
    await clock.run();
    expect(seen).toEqual([0, 1, 2]);
    expect(work.closed).toBe(true);
  });
});
