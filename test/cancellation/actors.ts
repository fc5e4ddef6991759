import type { ActorLogic, ActorOptions, AnyActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';

const actors = new Set<AnyActorRef>();

/** XState whose actors, with all that they invoke and spawn, are remembered: for `vi.mock('xstate', ..)`. */
export function rememberActors<Module extends Pick<typeof import('xstate'), 'createActor'>>(xstate: Module): Module {
  const createActor = (
    logic: ActorLogic<Snapshot<unknown>, AnyEventObject>,
    options?: ActorOptions<AnyActorLogic>,
  ): AnyActorRef =>
    xstate.createActor(logic, {
      ...options,
      inspect(event) {
        if (event.type === '@xstate.actor') actors.add(event.actorRef as AnyActorRef);
      },
    });
  return { ...xstate, createActor };
}

/** Ids of the remembered actors that have neither ended nor been stopped. */
export function activeActors(): readonly string[] {
  return [...actors].filter((actor) => actor.getSnapshot().status === 'active').map(({ id }) => id);
}
