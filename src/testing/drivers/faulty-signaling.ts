import { Observable } from 'rxjs';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Signaling } from '../../core/signaling.ts';
import { countSubscriptions, type SubscriptionCount } from './subscription-count.ts';

/** What is wrong with signalling. */
export interface SignalingFaults {
  /** ms by which everything that it brings comes late; relayed datagrams are not held up. */
  delay: number;
}

/** The same signalling, with these faults. */
export function faultySignaling(
  signaling: Signaling,
  { faults, clock, subscriptions }: { faults: SignalingFaults; clock: Clock; subscriptions: SubscriptionCount },
): Signaling {
  const { name, byHand, status$, events$ } = signaling;
  return {
    name,
    byHand,
    status$: countSubscriptions(status$, subscriptions),
    events$: countSubscriptions(late(events$, faults, clock), subscriptions),
    register: (registration) => signaling.register(registration),
    lookup: (request) => signaling.lookup(request),
    offer: (offer) => signaling.offer(offer),
    send: (session, envelope) => signaling.send(session, envelope),
    relay: (session) => signaling.relay(session),
    leave: (session) => signaling.leave(session),
    close: () => signaling.close(),
  };
}

/** In order, each as late as the faults say when it comes; what is not late comes at once, unless something waits before it. */
function late<T>(source: Observable<T>, faults: SignalingFaults, clock: Clock): Observable<T> {
  return new Observable<T>((subscriber) => {
    const waiting = new Set<TimerHandle>();
    let last = Number.NEGATIVE_INFINITY;
    const after = (event: T, delay: number): void => {
      last = Math.max(last, clock.now() + delay);
      const timer = clock.setTimeout(() => {
        waiting.delete(timer);
        subscriber.next(event);
      }, last - clock.now());
      waiting.add(timer);
    };
    subscriber.add(() => {
      for (const timer of waiting) clock.clearTimeout(timer);
    });
    return source.subscribe({
      next: (event) => {
        if (faults.delay === 0 && waiting.size === 0) subscriber.next(event);
        else after(event, faults.delay);
      },
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
  });
}
