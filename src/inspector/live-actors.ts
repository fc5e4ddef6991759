import type { AnyActorRef, InspectionEvent } from 'xstate';

/** The actors that run now, for a hub that comes later. */
export class LiveActors {
  readonly #actors = new Set<AnyActorRef>();

  see(inspection: InspectionEvent): void {
    const actorRef = inspection.actorRef as AnyActorRef;
    if (inspection.type === '@xstate.actor') {
      if (this.#actors.size < MAX_ACTORS) this.#actors.add(actorRef);
    } else if (inspection.type === '@xstate.snapshot' && inspection.snapshot.status !== 'active') {
      this.#actors.delete(actorRef);
    }
  }

  /** In the order in which they were made: parents come before their children. */
  [Symbol.iterator](): IterableIterator<AnyActorRef> {
    return this.#actors.values();
  }
}

const MAX_ACTORS = 2_000;
