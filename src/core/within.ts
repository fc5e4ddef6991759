import type { Clock } from './clock.ts';
import { TraversalError } from './errors.ts';

/**
 * What `work` brings within `timeout` ms. When they are over, or `outer` is aborted, it rejects at once, whatever `work` does then: with
 * `ERR_TIMEOUT`, or with what `outer` was aborted with. `work` is told by its signal, whose reason is the same.
 */
export async function within<T>(
  clock: Clock,
  doing: string,
  timeout: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const signal = AbortSignal.any([outer, deadline.signal]);
  signal.throwIfAborted();
  const timer = clock.setTimeout(
    () => deadline.abort(new TraversalError('ERR_TIMEOUT', `${doing}: not done within ${timeout / 1000} s`)),
    timeout,
  );
  let onAbort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      work(signal).then(resolve, reject);
    });
  } finally {
    clock.clearTimeout(timer);
    // A signal of several that is listened to lives as long as they do.
    signal.removeEventListener('abort', onAbort);
  }
}
