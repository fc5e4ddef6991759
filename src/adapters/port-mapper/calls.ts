import { TraversalError } from '../../core/errors.ts';

/** Calls under way, each ended at once by its own signal or by the end of all. */
export interface Calls {
  /**
   * What `work` brings. `work` is told by its signal that nobody waits any more and cleans up alone; `discard` is given what it brings
   * nevertheless. Errors: `ERR_ABORTED`, `ERR_CLOSED`, and those of `work`.
   */
  run<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
    discard?: (late: T) => void,
  ): Promise<T>;
  /** Ends all calls; fulfils when they have cleaned up. */
  close(): Promise<void>;
}

/** `name` stands before the messages of errors. */
export function createCalls(name: string): Calls {
  const closing = new AbortController();
  const working = new Set<Promise<unknown>>();

  const ended = (signal: AbortSignal | undefined): TraversalError =>
    closing.signal.aborted
      ? new TraversalError('ERR_CLOSED', `${name}: the port mapper is closed`)
      : aborted(name, signal);

  return {
    run(signal, work, discard = () => {}) {
      const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      if (stop.aborted) return Promise.reject(ended(signal));
      return new Promise((resolve, reject) => {
        const onAbort = (): void => reject(ended(signal));
        stop.addEventListener('abort', onAbort, { once: true });
        const done = work(stop)
          .then((value) => (stop.aborted ? discard(value) : resolve(value)), reject)
          .finally(() => {
            stop.removeEventListener('abort', onAbort);
            working.delete(done);
          });
        working.add(done);
      });
    },
    async close() {
      closing.abort();
      await Promise.all(working);
    },
  };
}

/** What an operation that its caller's signal ended rejects with. */
export function aborted(name: string, signal: AbortSignal | undefined): TraversalError {
  return new TraversalError('ERR_ABORTED', `${name}: aborted`, { cause: signal?.reason });
}
