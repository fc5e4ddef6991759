import type { AnyActorRef, AnyStateMachine, InspectionEvent, Snapshot } from 'xstate';
import { chartOf } from '../../trace/machine-book.ts';
import { redact } from '../../trace/redact.ts';
import { Captures } from '../captures.ts';
import { LiveActors } from '../live-actors.ts';
import { checkLocalUrl } from '../local-url.ts';
import { Uplink } from '../uplink.ts';
import { writeStatelyDefinition } from './stately-definition.ts';
import { STATELY_VERSION, type StatelyEvent, type StatelyFrame, type StatelySnapshot } from './stately-frame.ts';

export interface StatelyInspectorOptions {
  /** Of a receiver on this machine that takes what `createWebSocketInspector` sends; default: `ws://localhost:8080`, that of its server. */
  readonly url?: string;
}

/**
 * Tells a stock inspector of Stately's of actors; unlike its own client in the order of the code, without secrets and payload, in bounded
 * memory, with a receiver that may come and go, and for no process to stay alive. Which edges were taken it cannot be told.
 */
export interface StatelyInspector {
  /** For `createActor(.., { inspect })`, and for `PeerOptions.inspect`, which tells of all actors of a peer. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Tells what there is to tell, for half a second at most, and leaves. */
  close(): Promise<void>;
}

/** Errors: `ERR_USAGE` for a URL of another machine. */
export function statelyInspector({ url = DEFAULT_URL }: StatelyInspectorOptions = {}): StatelyInspector {
  return new StatelyUplink(checkLocalUrl(url, DEFAULT_URL));
}

class StatelyUplink implements StatelyInspector {
  readonly #actors = new LiveActors();
  readonly #began = Date.now();
  readonly #captures = new Captures(() => this.#uplink.wake());
  readonly #uplink: Uplink;

  constructor(url: string) {
    this.#uplink = new Uplink(url, {
      frames: (texts) => texts,
      begin: () => this.#begin(),
      next: () => this.#captures.tellNext(),
      waiting: () => this.#captures.waiting,
    });
  }

  readonly inspect = (inspection: InspectionEvent): void => {
    this.#actors.see(inspection);
    const actorRef = inspection.actorRef as AnyActorRef;
    switch (inspection.type) {
      case '@xstate.actor':
        // It has no snapshot yet; its first one follows.
        this.#captures.capture(() => this.#tellActor(actorRef, { status: 'active' }));
        break;
      case '@xstate.event':
        this.#captures.capture(() => this.#tellEvent(actorRef, inspection.event, inspection.sourceRef?.sessionId));
        break;
      case '@xstate.snapshot':
        this.#captures.capture(() => this.#tellSnapshot(actorRef, inspection.event, inspection.snapshot));
        break;
      default:
      // A stock inspector has no use for microsteps and actions.
    }
  };

  close(): Promise<void> {
    return this.#uplink.close();
  }

  #begin(): void {
    if (this.#captures.begin()) return;
    for (const actorRef of this.#actors) this.#tellActor(actorRef, plain(actorRef.getSnapshot()));
  }

  #tellActor(actorRef: AnyActorRef, snapshot: StatelySnapshot): void {
    const { id, sessionId } = actorRef;
    const { _parent: parent, logic } = actorRef as AnyActorRef & { readonly logic: unknown };
    const machine = isMachine(logic) ? logic : undefined;
    this.#write({
      type: '@xstate.actor',
      name: id === sessionId && machine !== undefined ? machine.id : id,
      definition: machine === undefined ? JSON.stringify({ id }) : writeStatelyDefinition(chartOf(machine)),
      ...(parent !== undefined && { parentId: parent.sessionId }),
      snapshot,
      ...this.#about(actorRef),
    });
  }

  #tellEvent(actorRef: AnyActorRef, event: StatelyEvent, sourceId: string | undefined): void {
    this.#write({
      type: '@xstate.event',
      event: redact(event) as StatelyEvent,
      ...(sourceId !== undefined && { sourceId }),
      ...this.#about(actorRef),
    });
  }

  #tellSnapshot(actorRef: AnyActorRef, event: StatelyEvent, snapshot: Snapshot<unknown>): void {
    this.#write({
      type: '@xstate.snapshot',
      event: redact(event) as StatelyEvent,
      snapshot: plain(snapshot),
      ...this.#about(actorRef),
    });
  }

  #about(actorRef: AnyActorRef): Pick<StatelyFrame, '_version' | 'sessionId' | 'rootId' | 'createdAt' | 'id'> {
    return {
      _version: STATELY_VERSION,
      sessionId: actorRef.sessionId,
      rootId: rootOf(actorRef).sessionId,
      createdAt: String(Math.round(this.#began + this.#captures.t)),
      id: null,
    };
  }

  #write(frame: StatelyFrame): void {
    this.#uplink.write(JSON.stringify(frame));
  }
}

function plain(snapshot: Snapshot<unknown>): StatelySnapshot {
  const { status, output, error } = snapshot;
  const { value, context } = snapshot as { readonly value?: unknown; readonly context?: unknown };
  const shown = { status, value, context: redact(context), output: redact(output), error: redact(error) };
  const { length } = JSON.stringify(shown);
  return length > MAX_SNAPSHOT ? { status, value, context: `[${length} characters]` } : shown;
}

function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'config' in logic;
}

function rootOf(actorRef: AnyActorRef): AnyActorRef {
  return actorRef._parent === undefined ? actorRef : rootOf(actorRef._parent);
}

const DEFAULT_URL = 'ws://localhost:8080';
/** Characters of a snapshot. */
const MAX_SNAPSHOT = 64 * 2 ** 10;
