import { type AnyActorLogic, type AnyStateMachine, fromPromise, type PromiseActorLogic } from 'xstate';
import { isMachine } from '../logic-shape.ts';
import type { Strategy } from '../strategy.ts';
import type { StepInput, StepOutput } from './contract.ts';
import type { StrategyHost } from './strategy-host.ts';
import { runStrategy } from './strategy-run.ts';
import { isStrategySlot } from './strategy-slot.ts';

/**
 * The machine with each of its strategies run by the host, and so with the machines that are its actors. What a user gave by `.provide()`
 * stays. It costs several times what an actor does: once a peer, not once a connection.
 */
export function bindStrategies<M extends AnyStateMachine>(machine: M, host: StrategyHost): M {
  const bound: Record<string, AnyActorLogic> = {};
  for (const [name, logic] of Object.entries(machine.implementations.actors)) {
    if (isStrategySlot(logic)) bound[name] = strategyLogic(logic.strategy, host);
    else if (isMachine(logic)) bound[name] = bindStrategies(logic, host);
  }
  return machine.provide({ actors: bound }) as M;
}

/** The actor logic of one strategy. Stopping the actor abandons the run. */
function strategyLogic(strategy: Strategy, host: StrategyHost): PromiseActorLogic<StepOutput, StepInput> {
  return fromPromise<StepOutput, StepInput>(({ input, signal, self }) =>
    runStrategy(strategy, { host, step: input, signal, parent: self }),
  );
}
