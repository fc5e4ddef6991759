import { type ActorLogic, type AnyEventObject, fromPromise, type PromiseActorLogic } from 'xstate';
import type { Strategy } from '../strategy.ts';
import type { StepInput, StepOutput } from './contract.ts';

/** What can stand in a strategy's place: a function or a machine whose output is a {@link StepOutput}, or a result alone. */
// biome-ignore lint/suspicious/noExplicitAny: XState's logic is invariant in its snapshot; only `any` takes every actor
export type StepLogic = ActorLogic<any, AnyEventObject, StepInput, any, any>;

/** The actor of a strategy, before a peer has bound it: it fails when it is run. */
export interface StrategySlot extends PromiseActorLogic<StepOutput, StepInput> {
  readonly strategy: Strategy;
}

export function strategySlot(strategy: Strategy): StrategySlot {
  const unbound = fromPromise<StepOutput, StepInput>(() =>
    Promise.reject(new Error(`no host was bound to the strategy '${strategy.name}'`)),
  );
  return { ...unbound, strategy };
}

export function isStrategySlot(logic: unknown): logic is StrategySlot {
  return typeof logic === 'object' && logic !== null && 'strategy' in logic;
}
