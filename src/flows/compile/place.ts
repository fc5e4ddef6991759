import type { PacketBudget } from './contract.ts';

/** Where a step stands in the machine, and where it leads to. */
export interface Place {
  /** Path of its state; also the state's id. */
  readonly path: string;
  /** Target for when a strategy in it has succeeded: whatever is around it has then, too. */
  readonly won: string;
  /** Target for when it has failed. */
  readonly lost: string;
  /** Of the races around it, outermost first. */
  readonly budgets: readonly RaceBudget[];
  /** Paths of the states of the retries around it, outermost first. */
  readonly retries: readonly string[];
  /** Types of the events that end the time of the steps around it, with what they mean. */
  readonly deadlines: Readonly<Record<string, string>>;
  /** ms that it may take at most, for what is around it; `Infinity` where nothing bounds it. */
  readonly longest: number;
}

/** What those in a race may send together, anew at each try of the `retries` around it. */
export interface RaceBudget extends PacketBudget {
  readonly retries: readonly string[];
}

/** The place with one more event that ends its time: that of the delay in the state at `path`. */
export function withDeadline(place: Place, delay: string, time: number): Place {
  const { deadlines, path, longest } = place;
  const event = `xstate.after.${delay}.${path}`;
  return {
    ...place,
    deadlines: { ...deadlines, [event]: `not done within ${inWords(time)}` },
    longest: Math.min(longest, time),
  };
}

/** `12 s`, `400 ms`. */
export function inWords(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
