import { Observable } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { createPace } from '../protocol/spray/index.ts';

/**
 * 0, 1, 2 .. `count` - 1, at `rate` a second, the first one at once, and completes with the last. After a delay of the process it makes up for
 * a few of those that it missed, and puts off the rest.
 */
export function paced(clock: Clock, count: number, rate: number): Observable<number> {
  return new Observable((subscriber) => {
    const pace = createPace(count, rate, clock.now());
    let next = 0;
    let timer: TimerHandle | undefined;
    const emit = (): void => {
      const end = next + pace.take(clock.now());
      while (next < end && !subscriber.closed) subscriber.next(next++);
      if (subscriber.closed) return;
      const { nextAt } = pace;
      if (nextAt === undefined) subscriber.complete();
      else timer = clock.setTimeout(emit, nextAt - clock.now());
    };
    emit();
    return () => clock.clearTimeout(timer);
  });
}
