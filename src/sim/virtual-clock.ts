import type { Clock } from '../core/clock.ts';
import { TraversalError } from '../core/errors.ts';
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/**
 * Time that goes from event to event: as fast as the machine can, and the same way in every run. It counts whole microseconds.
 *
 * Code that is built on promises runs between events: before each event, the clock waits for a turn of the event loop
 * (`setImmediate`), by which Node has run all microtasks and `process.nextTick` callbacks, and those that they
 * queued, until none was left. What takes real time (thread pool, real sockets) is not waited for, and has no place
 * in a simulation.
 */
export class VirtualClock implements Clock {
  readonly #events = new EventQueue();
  /** Microseconds. */
  #now = 0;
  /** Whether code ran that may have left microtasks. */
  #touched = true;
  #running = false;
  /** Wakes {@link start}, which waits for events. */
  #onEvent: () => void = () => {};

  now(): number {
    return this.#now / 1_000;
  }

  wallTime(): number {
    return WALL_TIME + Math.floor(this.#now / 1_000);
  }

  /**
   * The delay is rounded up to a microsecond, so that no timer fires early; a negative one is 0. Errors: `ERR_USAGE` for one that is
   * not a finite number.
   */
  setTimeout(callback: () => void, delay: number): QueuedEvent {
    return this.#add(Math.max(0, Math.ceil(finite(delay, 'delay') * 1_000)), () => {
      this.#touched = true;
      callback();
    });
  }

  clearTimeout(event: QueuedEvent | undefined): void {
    if (event !== undefined) this.#events.remove(event);
  }

  /** Virtual time in whole microseconds. */
  get microseconds(): number {
    return this.#now;
  }

  /** Timers and events of the network that are still to come. */
  get pending(): number {
    return this.#events.size;
  }

  /**
   * An event inside the network, `delay` whole microseconds from now. It must leave no microtasks; where it reaches code that may,
   * {@link touch} is called.
   */
  schedule(delay: number, callback: () => void): void {
    this.#add(delay, callback);
  }

  /** The present event has reached code of users: the next one waits until their microtasks have run. */
  touch(): void {
    this.#touched = true;
  }

  /** Moves on by `ms`, with everything that happens by then. Errors: those of {@link run}. */
  async advance(ms: number): Promise<void> {
    await this.run(this.now() + finite(ms, 'ms'));
  }

  /**
   * Runs up to a virtual time in ms, or without one until nothing is left to happen. Errors: `ERR_USAGE` for a time that is not a
   * finite number; `ERR_BUSY`; those of callbacks.
   */
  async run(until?: number): Promise<void> {
    const end = until === undefined ? Number.POSITIVE_INFINITY : Math.round(finite(until, 'until') * 1_000);
    await this.#exclusively(async () => {
      do await this.#settle();
      while (this.#step(end));
      if (Number.isFinite(end)) this.#now = Math.max(this.#now, end);
    });
  }

  /**
   * Runs until the promise is settled, and gives its outcome. Errors, besides those of the promise: `ERR_TIMEOUT` when
   * `within` ms of virtual time have passed or nothing is left to happen before; `ERR_USAGE` for a time that is not a
   * finite number; `ERR_BUSY`; those of callbacks.
   */
  async runUntil<T>(promise: Promise<T>, within = DEFAULT_PATIENCE): Promise<T> {
    const end = this.#now + Math.round(finite(within, 'within') * 1_000);
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await this.#exclusively(async () => {
      for (;;) {
        await this.#settle();
        if (settled) return;
        if (!this.#step(end)) throw new TraversalError('ERR_TIMEOUT', this.#why(within));
      }
    });
    return promise;
  }

  /**
   * Runs by itself whenever there is something to do, until the returned function is called: for programs that wait by
   * `await` alone. The order of events stays fixed; when something enters from outside, from real time, is not. Until it
   * is stopped, virtual time races on as long as any timer is set: where what is awaited may never come, {@link runUntil} is
   * the one that ends with an error. What a callback throws becomes an unhandled rejection, as it would be an uncaught
   * exception of a real timer.
   */
  start(): () => Promise<void> {
    let stopped = false;
    const running = this.#exclusively(async () => {
      for (;;) {
        await this.#settle();
        if (stopped) return;
        if (this.#step(Number.POSITIVE_INFINITY)) continue;
        await new Promise<void>((resolve) => {
          this.#onEvent = resolve;
        });
        this.#touched = true;
      }
    });
    return () => {
      stopped = true;
      this.#onEvent();
      return running;
    };
  }

  #add(delay: number, callback: () => void): QueuedEvent {
    const event = this.#events.add(this.#now + delay, callback);
    this.#onEvent();
    return event;
  }

  /** Waits until the microtasks of the events so far have run. */
  async #settle(): Promise<void> {
    while (this.#touched) {
      this.#touched = false;
      await turn();
    }
  }

  /** The next event, if it comes by `end`, and those after it until one reaches code of users. False when there is none. */
  #step(end: number): boolean {
    for (let stepped = false; ; stepped = true) {
      const event = this.#events.first;
      if (event === undefined || event.at > end) return stepped;
      this.#events.remove(event);
      this.#now = event.at;
      event.callback();
      if (this.#touched) return true;
    }
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#running)
      throw new TraversalError('ERR_BUSY', 'the virtual clock is running already; await that run first');
    this.#running = true;
    this.#touched = true;
    try {
      await work();
    } finally {
      this.#running = false;
    }
  }

  #why(within: number): string {
    return this.#events.size === 0
      ? `nothing is left to happen at ${this.now()} ms of virtual time, and what is awaited has not come`
      : `what is awaited has not come within ${within} ms of virtual time`;
  }
}

/** Time in ms whose microseconds can be counted: `NaN` or `Infinity` would put it out of joint for good. */
function finite(ms: number, name: string): number {
  if (Number.isFinite(ms * 1_000)) return ms;
  throw new TraversalError('ERR_USAGE', `${name}: must be a finite number of ms, not ${ms}`);
}

/** A turn of the event loop, before which Node drains microtasks and `nextTick` callbacks. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** 2025-01-01, 00:00 UTC, in ms: when all simulations begin. */
const WALL_TIME = 1_735_689_600_000;
/** ms of virtual time. */
const DEFAULT_PATIENCE = 600_000;
