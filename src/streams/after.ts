import { Observable } from 'rxjs';
import type { Clock } from '../core/clock.ts';

/** Emits once, after `delay` ms on the injected clock. */
export function after(clock: Clock, delay: number): Observable<void> {
  return new Observable((subscriber) => {
    const timer = clock.setTimeout(() => subscriber.next(), delay);
    return () => clock.clearTimeout(timer);
  });
}
