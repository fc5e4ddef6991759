/**
 * Time as an argument: real in `adapters/node`, virtual in the simulator. The shape also fits XState's `clock` option.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since 1970-01-01 UTC, for expiry dates only. */
  wallTime(): number;
  /** Calls `callback` once after `delay` ms. */
  setTimeout(callback: () => void, delay: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** What {@link Clock.setTimeout} gave; opaque. */
// biome-ignore lint/suspicious/noExplicitAny: XState's Clock uses any; a narrower type would not be assignable to it
export type TimerHandle = any;
