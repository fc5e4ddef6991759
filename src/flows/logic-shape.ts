import type { AnyActorLogic, AnyStateMachine } from 'xstate';

/** Whether it is what XState makes actors of. By its shape: a user may have another copy of XState. */
export function isActorLogic(value: unknown): value is AnyActorLogic {
  const { transition, getInitialSnapshot } = Object(value) as Partial<AnyActorLogic>;
  return typeof transition === 'function' && typeof getInitialSnapshot === 'function';
}

/** Whether it is a machine. */
export function isMachine(value: unknown): value is AnyStateMachine {
  if (!isActorLogic(value)) return false;
  const { root, provide } = value as Partial<AnyStateMachine>;
  return typeof root === 'object' && typeof provide === 'function';
}
