import type { ActorOptions, AnyActorLogic } from 'xstate';

/** Sees charts at work: XState's own inspection, with each actor, event, snapshot, microstep and action. A function, or an observer. */
export type Inspect = NonNullable<ActorOptions<AnyActorLogic>['inspect']>;
