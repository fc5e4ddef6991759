import { Observable } from 'rxjs';

/**
 * Something that must be closed, as an Observable: subscribing opens it and emits it, unsubscribing closes it, also
 * while it is still being opened. Errors when it cannot be opened; completes when it has ended by itself, where `ended`
 * tells of that.
 */
export function opened<T>(
  open: (signal: AbortSignal) => Promise<T>,
  close: (resource: T) => void,
  ended?: (resource: T) => Promise<void>,
): Observable<T> {
  return new Observable((subscriber) => {
    const abort = new AbortController();
    open(abort.signal).then(
      (resource) => {
        subscriber.add(() => close(resource));
        subscriber.next(resource);
        void ended?.(resource).then(() => subscriber.complete());
      },
      (error) => subscriber.error(error),
    );
    return () => abort.abort();
  });
}
