import type { Clock, TimerHandle } from '../../core/clock.ts';
import { asTraversalError, GatewayError, type TraversalError } from '../../core/errors.ts';

/** One try; told by `signal` that its result is wanted no more. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

export interface StaggeredOptions<T> {
  readonly clock: Clock;
  /** ms from the start of an attempt to that of the next, unless it fails earlier. */
  readonly stagger: number;
  readonly signal: AbortSignal | undefined;
  /** Given what an attempt brings after another one has won. */
  readonly discard: (late: T) => void;
}

/**
 * Tries the attempts in their order, each with a head start over the next, and gives what the first success brings; the others are
 * aborted. Without success it rejects with the most telling error: what a gateway said counts more than silence.
 */
export function staggered<T>(attempts: readonly Attempt<T>[], options: StaggeredOptions<T>): Promise<T> {
  const { clock, stagger, signal, discard } = options;
  const ended = new AbortController();
  const stop = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const errors: TraversalError[] = [];
  let [started, settled] = [0, false];

  return new Promise((resolve, reject) => {
    let timer: TimerHandle;

    const settle = (finish: () => void): void => {
      settled = true;
      clock.clearTimeout(timer);
      finish();
      ended.abort();
    };
    const failed = (index: number, error: unknown): void => {
      if (settled) return;
      errors[index] = asTraversalError(error, 'ERR_NETWORK');
      const failures = errors.filter((one) => one !== undefined);
      if (failures.length < started) return;
      if (started < attempts.length && !stop.aborted) startNext();
      else settle(() => reject(mostTelling(failures)));
    };
    const startNext = (): void => {
      clock.clearTimeout(timer);
      const index = started++;
      if (started < attempts.length) timer = clock.setTimeout(startNext, stagger);
      attempts[index]!(stop).then(
        (value) => (settled ? discard(value) : settle(() => resolve(value))),
        (error: unknown) => failed(index, error),
      );
    };
    startNext();
  });
}

function mostTelling(errors: readonly TraversalError[]): TraversalError {
  const weight = (error: TraversalError): number => {
    if (error.code !== 'ERR_MAPPING_UNAVAILABLE') return 2;
    return error instanceof GatewayError ? 1 : 0;
  };
  return errors.reduce((best, error) => (weight(error) > weight(best) ? error : best));
}
