/** Ends a turn; more than once is no harm. */
export type EndTurn = () => void;

/** Something that one alone may do at a time. */
export class OneAtATime {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /** A turn when nobody has one or waits for one. */
  tryTake(): EndTurn | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#pass();
    };
  }

  /** A turn when those before have had theirs; it ends when the signal is aborted. Rejects with its reason when that is before. */
  takeUntil(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = (): void => {
        this.#waiting.delete(take);
        signal.removeEventListener('abort', onAbort);
        signal.addEventListener('abort', this.tryTake()!, { once: true });
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(take);
        reject(signal.reason);
      };
      if (signal.aborted) onAbort();
      else if (this.#taken) {
        this.#waiting.add(take);
        signal.addEventListener('abort', onAbort, { once: true });
      } else take();
    });
  }

  #pass(): void {
    this.#taken = false;
    const [next] = this.#waiting;
    next?.();
  }
}
