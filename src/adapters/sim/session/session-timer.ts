import type { Clock, TimerHandle } from '../../../core/clock.ts';

/** The turns of a session: at once when something is to be sent, and when a moment comes that it waits for. */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #onTurn: () => void;
  #handle: TimerHandle | undefined;
  /** When the timer fires, in ms of the clock. */
  #at = 0;
  #stopped = false;

  constructor(clock: Clock, onTurn: () => void) {
    this.#clock = clock;
    this.#onTurn = onTurn;
  }

  /** Asks for a turn in this very moment, after all that is happening in it now: what comes together is answered together. */
  wake(): void {
    this.#set(this.#clock.now());
  }

  /** Asks for a turn at a moment; `undefined` for none, but those that were asked for by {@link wake}. */
  arm(at: number | undefined): void {
    if (at !== undefined) this.#set(at);
    else if (this.#handle !== undefined && this.#at > this.#clock.now()) this.#clear();
  }

  /** No more turns. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  /** An earlier timer is left to fire for nothing: cheaper than setting it anew with every packet. */
  #set(at: number): void {
    if (this.#stopped || (this.#handle !== undefined && this.#at <= at)) return;
    this.#clear();
    this.#at = at;
    this.#handle = this.#clock.setTimeout(() => {
      this.#handle = undefined;
      this.#onTurn();
    }, at - this.#clock.now());
  }

  #clear(): void {
    if (this.#handle !== undefined) this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}
