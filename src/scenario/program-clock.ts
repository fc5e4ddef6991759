import type { Clock, TimerHandle } from '../core/clock.ts';

/** The clock of one program: it knows how many timers are still to come, and stands still once the program has been killed. */
export class ProgramClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<TimerHandle>();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that are still to come. */
  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#clock.now();
  }

  wallTime(): number {
    return this.#clock.wallTime();
  }

  setTimeout(callback: () => void, delay: number): TimerHandle {
    if (this.#isStopped) return undefined;
    const timer = this.#clock.setTimeout(() => {
      this.#pending.delete(timer);
      callback();
    }, delay);
    this.#pending.add(timer);
    return timer;
  }

  clearTimeout(timer: TimerHandle): void {
    this.#pending.delete(timer);
    this.#clock.clearTimeout(timer);
  }

  /** No timer fires any more. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of [...this.#pending]) this.clearTimeout(timer);
  }
}
