import { TraversalError } from '../../core/errors.ts';
import type { Frame } from '../wire.ts';

/** Of `@statelyai/inspect`, whose frames these are. */
export const STATELY_VERSION = '0.7.2';

/** What clients of `@statelyai/inspect` 0.7 send over WebSocket: one JSON object a frame, with no greeting and no answer. */
export type StatelyFrame = StatelyActorFrame | StatelyEventFrame | StatelySnapshotFrame;

interface StatelyFrameBase {
  /** Of the client's package. */
  readonly _version: string;
  /** Of the actor; XState's session id, `x:0`. */
  readonly sessionId: string;
  /** Of the actor's system; `anonymous` of what was not told by XState. */
  readonly rootId?: string;
  /** Wall time in ms since 1970, as text. */
  readonly createdAt: string;
  readonly id: null;
}

/** An actor was made. */
export interface StatelyActorFrame extends StatelyFrameBase {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly parentId?: string;
  /** JSON of the config of its machine; of another actor of its id alone. */
  readonly definition?: string;
  readonly snapshot: StatelySnapshot;
}

/** An event was sent to an actor. */
export interface StatelyEventFrame extends StatelyFrameBase {
  readonly type: '@xstate.event';
  readonly event: StatelyEvent;
  readonly sourceId?: string;
}

/** An actor took an event, and is thus now. */
export interface StatelySnapshotFrame extends StatelyFrameBase {
  readonly type: '@xstate.snapshot';
  readonly event: StatelyEvent;
  readonly snapshot: StatelySnapshot;
}

export interface StatelyEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface StatelySnapshot {
  readonly status?: string;
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
}

/** Whether a first frame is of such a client. */
export function isStatelyFrame(frame: Frame): boolean {
  return typeof frame.type === 'string' && frame.type.startsWith('@xstate.');
}

/** `undefined`: a kind of frame that says nothing here. Errors: `ERR_PROTOCOL`. */
export function readStatelyFrame(frame: Frame): StatelyFrame | undefined {
  const { type, sessionId, createdAt, event, snapshot, name, definition } = frame;
  if (!isStatelyFrame(frame)) throw malformed('is of no type of @statelyai/inspect');
  if (typeof sessionId !== 'string') throw malformed('names no actor');
  if (!Number.isFinite(Number(createdAt))) throw malformed('has no time');
  switch (type) {
    case '@xstate.actor':
      if (typeof name !== 'string' || !isObject(snapshot)) throw malformed('does not say how its actor is');
      if (definition !== undefined && typeof definition !== 'string')
        throw malformed('has a definition that is no text');
      break;
    case '@xstate.snapshot':
      if (!isEvent(event) || !isObject(snapshot)) throw malformed('does not say what its actor took, or how it is');
      break;
    case '@xstate.event':
      if (!isEvent(event)) throw malformed('has no event');
      break;
    default:
      return undefined;
  }
  return frame as unknown as StatelyFrame;
}

function isEvent(value: unknown): boolean {
  return isObject(value) && typeof value.type === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(problem: string): TraversalError {
  return new TraversalError('ERR_PROTOCOL', `a frame ${problem}`);
}
