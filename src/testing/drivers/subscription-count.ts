import { Observable } from 'rxjs';

/** How many subscriptions stand. */
export interface SubscriptionCount {
  standing: number;
}

/** The same observable; counts who is subscribed. */
export function countSubscriptions<T>(source: Observable<T>, count: SubscriptionCount): Observable<T> {
  return new Observable<T>((subscriber) => {
    count.standing++;
    subscriber.add(() => {
      count.standing--;
    });
    return source.subscribe(subscriber);
  });
}
