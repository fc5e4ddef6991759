import { from, Observable, type ObservableInput } from 'rxjs';

/** Anything that can be read chunk by chunk: a TCP connection, a session's stream. `null` is the end. */
export interface ByteSource {
  read(): Promise<Uint8Array | null>;
}

/**
 * `concatMap` over the chunks of a source, with back pressure: the next chunk is read when the result of the last one
 * has completed, so a slow `project` slows the sender down instead of filling memory. Completes at the source's end,
 * errors as its `read` does. Unsubscribing stops reading; the source is closed by whoever opened it.
 */
export function readEach<R>(source: ByteSource, project: (bytes: Uint8Array) => ObservableInput<R>): Observable<R> {
  return new Observable((subscriber) => {
    const fail = (error: unknown): void => subscriber.error(error);
    const next = (): void => {
      if (!subscriber.closed) source.read().then(take).catch(fail);
    };
    const take = (bytes: Uint8Array | null): void => {
      if (subscriber.closed) return;
      if (bytes === null) {
        subscriber.complete();
      } else {
        const result$ = from(project(bytes));
        subscriber.add(result$.subscribe({ next: (value) => subscriber.next(value), error: fail, complete: next }));
      }
    };
    next();
  });
}
