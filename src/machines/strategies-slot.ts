import { type ActorLogic, fromPromise } from 'xstate';
import type { Facts } from '../core/strategy.ts';

/** What the actors that run strategies are started with. */
export interface StrategiesInput {
  readonly id: string;
  readonly facts: Facts;
}

/** An actor slot for a machine that is composed of strategies, or whatever else is to do their work. */
// biome-ignore lint/suspicious/noExplicitAny: XState infers a slot's logic exactly, and only `any` leaves open what fills it
export type StrategiesSlot<Input extends StrategiesInput = StrategiesInput> = ActorLogic<any, any, Input, any, any>;

/** Throws when it is run: its logic is given by `.provide()`. */
export function strategiesSlot<Input extends StrategiesInput = StrategiesInput>(name: string): StrategiesSlot<Input> {
  return fromPromise<unknown, Input>(() => {
    throw new Error(`no logic was provided for the actor '${name}'`);
  });
}
