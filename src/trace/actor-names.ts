import type { AnyActorRef } from 'xstate';
import { shortId } from './redact.ts';

/** Names of actors, such that no two that are active at one time have the same: `connection 6c2fdaee/punch`. */
export class ActorNames {
  readonly #names = new WeakMap<object, string>();
  readonly #taken = new Set<string>();

  of(actorRef: AnyActorRef): string {
    const known = this.#names.get(actorRef);
    if (known !== undefined) return known;
    const name = this.#free(this.#wish(actorRef));
    this.#names.set(actorRef, name);
    this.#taken.add(name);
    return name;
  }

  parentOf(actorRef: AnyActorRef): string | undefined {
    const { _parent: parent } = actorRef;
    return parent === undefined ? undefined : this.of(parent);
  }

  /** The actor has ended: another one may have its name. */
  release(actorRef: AnyActorRef): void {
    const name = this.#names.get(actorRef);
    if (name !== undefined) this.#taken.delete(name);
  }

  #wish(actorRef: AnyActorRef): string {
    const { id, sessionId } = actorRef;
    const { logic } = actorRef as { readonly logic?: { readonly id?: unknown } };
    // An actor that was given no id has that of its session, which tells nothing.
    const own = id === sessionId && typeof logic?.id === 'string' ? logic.id : id;
    const name = own.replace(SESSION_ID, shortId);
    const parent = this.parentOf(actorRef);
    return parent === undefined ? name : `${parent}/${name}`;
  }

  #free(wish: string): string {
    if (!this.#taken.has(wish)) return wish;
    for (let i = 2; ; i++) if (!this.#taken.has(`${wish} ${i}`)) return `${wish} ${i}`;
  }
}

/** A connection is named by the beginning of its id. */
const SESSION_ID = /[\da-f]{32}/g;
