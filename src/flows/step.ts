import type { Product } from '../core/strategy.ts';
import type { Evidence } from './evidence.ts';
import type { Strategy } from './strategy.ts';

/**
 * A part of a flow that gives one thing: a strategy, or strategies composed. Plain, frozen data, made by the functions that are named
 * like its kinds. Each can stand wherever another of the same product can.
 */
export type Step<P extends Product = Product> =
  | StrategyStep<P>
  | SequenceStep<P>
  | RaceStep<P>
  | WhenStep<P>
  | RetryStep<P>
  | WithinStep<P>
  | FallbackStep<P>;

/** One at least; what the first gives, the others have to give too. */
export type Steps<P extends Product = Product> = readonly [Step<P>, ...Step<NoInfer<P>>[]];

export interface StrategyStep<P extends Product = Product> {
  readonly kind: 'strategy';
  readonly strategy: Strategy<P>;
}

/** One after the other, until one succeeds. */
export interface SequenceStep<P extends Product = Product> {
  readonly kind: 'sequence';
  readonly steps: readonly Step<P>[];
}

/** Each starts when those before it have failed, and `stagger` ms after the one before it at the latest; the first to succeed wins. */
export interface RaceStep<P extends Product = Product> {
  readonly kind: 'race';
  readonly steps: readonly Step<P>[];
  /** ms; 0: all at once. */
  readonly stagger: number;
  /** ms for all of them. */
  readonly within?: number;
  /** What all of them may send together. */
  readonly packets?: number;
}

/** Only where the evidence is there; skipped, which is a failure with its reason, where it is not. */
export interface WhenStep<P extends Product = Product> {
  readonly kind: 'when';
  readonly evidence: Evidence;
  readonly step: Step<P>;
}

/** Again when it has failed, after a pause that doubles, with jitter. */
export interface RetryStep<P extends Product = Product> {
  readonly kind: 'retry';
  readonly step: Step<P>;
  /** 1..100, the first one included. */
  readonly times: number;
  /** ms before the second try. */
  readonly backoff: number;
  /** ms that a pause lasts at most. */
  readonly longest: number;
}

export interface WithinStep<P extends Product = Product> {
  readonly kind: 'within';
  readonly step: Step<P>;
  /** ms. */
  readonly time: number;
}

/** The second when the first has failed, and after `after` ms at the latest; the first goes on, and the first to succeed wins. */
export interface FallbackStep<P extends Product = Product> {
  readonly kind: 'fallback';
  readonly step: Step<P>;
  readonly backup: Step<P>;
  /** ms; absent: not before the first has failed. */
  readonly after?: number;
}
