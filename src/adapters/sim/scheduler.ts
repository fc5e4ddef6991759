import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import type { Clock, TimerHandle } from '../../core/clock.ts';

/** RxJS on a clock: operators that take a scheduler (`timer`, `delay`, `debounceTime` ..) live in its time. */
export function clockScheduler(clock: Clock): SchedulerLike {
  return {
    now: () => clock.now(),
    schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0, state?: T): Subscription {
      return new ClockAction<T>(clock, work).schedule(state, delay);
    },
  };
}

/** RxJS declares work with and without a state; a state that was given is passed on. */
type Work<T> = (this: SchedulerAction<T>, state: T) => void;

/** One piece of work, that may put itself off again while it runs. */
class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: Clock;
  readonly #work: Work<T>;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, work: Work<T>) {
    super();
    this.#clock = clock;
    this.#work = work;
    this.add(() => this.#clock.clearTimeout(this.#timer));
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#run(state), delay);
    return this;
  }

  #run(state: T | undefined): void {
    const timer = this.#timer;
    this.#work(state as T);
    // Done, unless the work has scheduled itself anew.
    if (this.#timer === timer) this.unsubscribe();
  }
}
