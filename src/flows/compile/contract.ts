import type { ErrorCode } from '../../core/errors.ts';
import type { Facts, Failed, Product, Success } from '../../core/strategy.ts';

/** What a composed machine is started with: plain data. */
export interface ComposedInput {
  /** Whose run it is: the connection's id, the lease's, or the peer's. */
  readonly id: string;
  readonly facts: Facts;
  /** 0..1, by chance: where in their spread the pauses of `retry` lie. Default 0.5, so that a machine alone is the same every time. */
  readonly jitter?: number;
  /**
   * The order in which the strategies of a race start, by their names: lower first, 0 where there is none, as written where they tie.
   * Heeded by machines that were composed as `ranked`.
   */
  readonly ranks?: Readonly<Record<string, number>>;
  /** Names of strategies that no race starts; one whose children are all left out has failed. Heeded by `selective` machines. */
  readonly leftOut?: readonly string[];
}

export type ComposedEvent = { type: 'facts.changed'; facts: Facts };

/** Plain data; steps are called by the path of their state, as in `punch.race.checks.checks`. */
export interface ComposedContext extends Required<ComposedInput> {
  /** Strategies that ran, or were skipped, in the order in which they ended. */
  readonly attempts: readonly StepAttempt[];
  /** Of the first that succeeded; in `discover`, where all run to their end, too. */
  readonly winner: StepSuccess | undefined;
  /** Children of races that started and those that lost, in this order. */
  readonly started: readonly string[];
  readonly lost: readonly string[];
  /** Tries of each `retry` that failed. */
  readonly tries: Readonly<Record<string, number>>;
}

/** What a composed machine asks of the actor of a strategy: plain data. */
export interface StepInput {
  /** As in {@link ComposedInput}. */
  readonly id: string;
  /** Path of the state, also the actor's id. */
  readonly step: string;
  /** The strategy's name. */
  readonly strategy: string;
  readonly facts: Facts;
  /** Of the races around it, outermost first: what all in the race of that state may send together. */
  readonly budgets: readonly PacketBudget[];
}

export interface PacketBudget {
  /** Path of the race's state. */
  readonly id: string;
  readonly packets: number;
}

/** What the actor of a strategy gives, and what a composed machine gives in the end. */
export type StepOutput<P extends Product = Product> = StepSuccess<P> | StepFailed;

export type StepSuccess<P extends Product = Product> = Success<P> & {
  readonly step: string;
  readonly strategy: string;
  readonly attempts: readonly StepAttempt[];
};

export interface StepFailed extends Failed {
  readonly attempts: readonly StepAttempt[];
}

/**
 * How one strategy's run ended. Times and counts are its host's; they are absent where it was skipped, and where it was abandoned, of
 * which the host hears by itself.
 */
export interface StepAttempt extends Partial<AttemptCounts> {
  readonly step: string;
  readonly strategy: string;
  readonly ok: boolean;
  /** A sentence for people. */
  readonly reason: string;
  readonly code?: ErrorCode;
}

export interface AttemptCounts {
  /** ms on the host's clock, from a start of its choice. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Packets; absent where nobody counts them. */
  readonly sent?: number;
  readonly received?: number;
}
