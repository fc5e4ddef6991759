import type { AnyActorLogic, AnyStateMachine, AnyStateNode } from 'xstate';
import { isStrategySlot } from '../compile/strategy-slot.ts';
import { type FlowMachines, flowSlots } from '../flow.ts';
import { statesOf } from '../state-nodes.ts';
import type { Strategy } from '../strategy.ts';

/** The states in which a strategy runs. */
export function strategyStates(machine: AnyStateMachine): readonly AnyStateNode[] {
  return statesOf(machine).filter(({ invoke }) => invoke.length > 0);
}

/** Where each strategy of a flow that is still bound by a peer stands for the first time: slot and path of states. */
export function strategyPlaces(flow: FlowMachines): ReadonlyMap<Strategy, string> {
  const places = new Map<Strategy, string>();
  for (const machine of flowSlots.flatMap((slot) => flow[slot] ?? [])) {
    for (const state of strategyStates(machine)) {
      const logic = actorIn(machine, state);
      if (isStrategySlot(logic) && !places.has(logic.strategy)) places.set(logic.strategy, state.id);
    }
  }
  return places;
}

/** What runs in a strategy's state: its machine, or what a user gave in its place; `undefined` for a function. */
export function machineIn(machine: AnyStateMachine, state: AnyStateNode): AnyActorLogic | undefined {
  const logic = actorIn(machine, state);
  if (!isStrategySlot(logic)) return logic;
  return 'machine' in logic.strategy.logic ? logic.strategy.logic.machine : undefined;
}

function actorIn(machine: AnyStateMachine, state: AnyStateNode): AnyActorLogic | undefined {
  return machine.implementations.actors[String(state.invoke[0]?.src)] as AnyActorLogic | undefined;
}
