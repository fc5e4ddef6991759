import type { ActorLogic, AnyActorLogic, AnyEventObject } from 'xstate';
import type { Bounds, Product, StrategyInput, StrategyResult } from '../core/strategy.ts';

/**
 * A way to get one thing, written as a function or as a machine; both are given a {@link StrategyInput} and give a
 * {@link StrategyResult}. It names no adapter: what it needs is in `input.env`.
 */
export interface Strategy<P extends Product = Product> {
  /** As it reads in charts, verdicts and proposals to the other side: lower case, digits and hyphens. */
  readonly name: string;
  readonly gives: P;
  readonly bounds: Bounds;
  /**
   * Present: both sides have to take part, and agree by `env.agree` that they do. The dialer runs its side when its flow comes to it,
   * the listener when the dialer proposes it, wherever its own flow stands. `version`: both must have the same, 1..65535. `vouched`:
   * only between sides that have proven their keys.
   */
  readonly twoSided?: TwoSided;
  readonly logic: StrategyLogic<P>;
}

/** What a strategy may be called. */
export const STRATEGY_NAME = /^[a-z][a-z0-9-]{0,63}$/;

export interface TwoSided {
  readonly version: number;
  readonly vouched: boolean;
}

/** A machine is a {@link StrategyMachine} of the strategy's product, which `defineStrategy` has checked. */
export type StrategyLogic<P extends Product = Product> = StrategyFunction<P> | { readonly machine: AnyActorLogic };

export interface StrategyFunction<P extends Product = Product> {
  /** What it throws is its failure. It should end soon after `input.env.signal` is aborted; nobody waits for it then. */
  run(input: StrategyInput<P>): Promise<StrategyResult<P>>;
}

/** A machine, or other logic of XState's: its input is a `StrategyInput`, its output a `StrategyResult`. */
// biome-ignore lint/suspicious/noExplicitAny: XState's logic is invariant in its snapshot; only `any` takes every machine
export type StrategyMachine<P extends Product = Product> = ActorLogic<any, AnyEventObject, StrategyInput<P>, any, any>;
