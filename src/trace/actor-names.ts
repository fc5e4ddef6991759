import { shortId } from './redact.ts';

/** What names an actor: XState's `ActorRef`, or what is known of one elsewhere. */
export interface NamedActor {
  readonly id: string;
  readonly sessionId: string;
  readonly _parent?: NamedActor | undefined;
  readonly logic?: unknown;
}

/** Names of actors, such that no two that are active at one time have the same: `connection 6c2fdaee/punch`. */
export class ActorNames {
  readonly #names = new WeakMap<object, string>();
  readonly #taken = new Set<string>();

  of(actorRef: NamedActor): string {
    const known = this.#names.get(actorRef);
    if (known !== undefined) return known;
    const name = freeName(this.#wish(actorRef), this.#taken);
    this.#names.set(actorRef, name);
    this.#taken.add(name);
    return name;
  }

  parentOf(actorRef: NamedActor): string | undefined {
    const { _parent: parent } = actorRef;
    return parent === undefined ? undefined : this.of(parent);
  }

  /** The actor has ended: another one may have its name. */
  release(actorRef: NamedActor): void {
    const name = this.#names.get(actorRef);
    if (name !== undefined) this.#taken.delete(name);
  }

  #wish(actorRef: NamedActor): string {
    const { id, sessionId } = actorRef;
    const logic = Object(actorRef.logic) as { readonly id?: unknown };
    // An actor that was given no id has that of its session, which tells nothing.
    const own = id === sessionId && typeof logic.id === 'string' ? logic.id : id;
    const name = own.replace(SESSION_ID, shortId);
    const parent = this.parentOf(actorRef);
    return parent === undefined ? name : `${parent}/${name}`;
  }
}

/** The name that is wished for, with a number where it is taken. */
export function freeName(wish: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wish)) return wish;
  for (let i = 2; ; i++) if (!taken.has(`${wish} ${i}`)) return `${wish} ${i}`;
}

/** A connection is named by the beginning of its id. */
const SESSION_ID = /[\da-f]{32}/g;
