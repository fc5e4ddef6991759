import { createHash } from 'node:crypto';
import { ActorNames, freeName, type NamedActor } from '../../trace/actor-names.ts';
import { redact } from '../../trace/redact.ts';
import {
  type ActorRecord,
  type EventRecord,
  type MachineRecord,
  type StateText,
  TRACE_FORMAT,
  TRACE_VERSION,
  type TracedEvent,
  type TracedState,
  type TraceHeader,
  type TraceRecord,
} from '../../trace/trace-format.ts';
import { SALLYPORT_VERSION } from '../../trace/version.ts';
import type { Frame } from '../wire.ts';
import { readStatelyDefinition } from './stately-definition.ts';
import {
  readStatelyFrame,
  type StatelyActorFrame,
  type StatelyEventFrame,
  type StatelyFrame,
  type StatelySnapshot,
  type StatelySnapshotFrame,
} from './stately-frame.ts';

/**
 * What a program tells through `@statelyai/inspect`, as a trace. It says less than ours: not which edges were taken, nor the order
 * of states in the code.
 */
export class StatelyProgram {
  readonly header: TraceHeader;
  readonly #who: string;
  readonly #began: number;
  readonly #names = new ActorNames();
  /** By session id. */
  readonly #actors = new Map<string, NamedActor>();
  /** Names of machines by what their definitions hash to; `undefined`: it is of none. */
  readonly #machines = new Map<string, string | undefined>();
  readonly #taken = new Set<string>();
  #t = 0;

  /** `first`: the frame it begins with, which is to be read as well. Errors: `ERR_PROTOCOL`. */
  constructor(who: string, first: Frame) {
    this.#who = who;
    this.#began = Number(readStatelyFrame(first)?.createdAt ?? Date.now());
    this.header = {
      format: TRACE_FORMAT,
      version: TRACE_VERSION,
      sallyport: SALLYPORT_VERSION,
      world: 'real',
      began: this.#began,
    };
  }

  /** Lines of the trace. Errors: `ERR_PROTOCOL`. */
  read(frame: Frame): readonly string[] {
    const read = readStatelyFrame(frame);
    if (read === undefined) return [];
    this.#t = Math.max(this.#t, Number(read.createdAt) - this.#began);
    return this.#recordsOf(read).map((record) => JSON.stringify(record));
  }

  #recordsOf(frame: StatelyFrame): readonly TraceRecord[] {
    const { sessionId } = frame;
    if (!this.#actors.has(sessionId) && this.#actors.size >= MAX_ACTORS) {
      return [{ t: this.#t, what: 'gap', records: 1 }];
    }
    switch (frame.type) {
      case '@xstate.actor':
        return this.#begin(frame);
      case '@xstate.snapshot':
        return [...this.#beginLate(sessionId), this.#follow(frame)];
      case '@xstate.event':
        // What XState tells is told again, with what became of it, by a snapshot.
        return frame.rootId === ANONYMOUS ? [...this.#beginLate(sessionId), this.#take(frame)] : [];
    }
  }

  #begin({ sessionId, name, parentId, definition, rootId, snapshot }: StatelyActorFrame): readonly TraceRecord[] {
    const parent = parentId === undefined ? undefined : this.#actors.get(parentId);
    const actor = this.#actors.get(sessionId) ?? {
      id: name,
      sessionId,
      ...(parent !== undefined && { _parent: parent }),
    };
    this.#actors.set(sessionId, actor);
    const machines: MachineRecord[] = [];
    const machine = this.#define(definition, machines);
    const record: ActorRecord = {
      what: 'actor',
      actor: this.#names.of(actor),
      ...(parent !== undefined && { parent: this.#names.of(parent) }),
      ...(machine !== undefined && { machine }),
      // What XState tells of an actor that begins is told late, when it may have gone on: its first snapshot follows.
      ...(rootId === undefined && { ...stateIn(snapshot), ...contextIn(snapshot) }),
    };
    return [...machines, record].map((one) => ({ t: this.#t, who: this.#who, ...one }));
  }

  /** Of an actor whose beginning was not told. */
  #beginLate(sessionId: string): readonly TraceRecord[] {
    if (this.#actors.has(sessionId)) return [];
    const actor = { id: sessionId, sessionId };
    this.#actors.set(sessionId, actor);
    return [{ t: this.#t, who: this.#who, what: 'actor', actor: this.#names.of(actor) }];
  }

  #follow({ sessionId, event, snapshot }: StatelySnapshotFrame): TraceRecord {
    const state = stateIn(snapshot);
    const record = this.#took(sessionId, event.type === '' ? { type: 'snapshot' } : event, {
      ...state,
      ...contextIn(snapshot),
    });
    if (state.status !== undefined) {
      this.#names.release(this.#actors.get(sessionId)!);
      this.#actors.delete(sessionId);
    }
    return record;
  }

  #take({ sessionId, event }: StatelyEventFrame): TraceRecord {
    return this.#took(sessionId, event, {});
  }

  #took(sessionId: string, event: TracedEvent, more: Partial<EventRecord>): TraceRecord {
    const actor = this.#names.of(this.#actors.get(sessionId)!);
    return { t: this.#t, who: this.#who, what: 'event', actor, event: redact(event) as TracedEvent, ...more };
  }

  #define(text: string | undefined, told: MachineRecord[]): string | undefined {
    if (text === undefined) return undefined;
    const key = createHash('sha256').update(text).digest('base64url');
    if (this.#machines.has(key)) return this.#machines.get(key);
    const definition = this.#machines.size < MAX_MACHINES ? readStatelyDefinition(text) : undefined;
    if (definition === undefined) {
      if (this.#machines.size < MAX_MACHINES) this.#machines.set(key, undefined);
      return undefined;
    }
    const machine = freeName(definition.id, this.#taken);
    this.#taken.add(machine);
    this.#machines.set(key, machine);
    told.push({ what: 'machine', machine, definition });
    return machine;
  }
}

function stateIn({ status, value }: StatelySnapshot): Partial<TracedState> {
  return {
    ...(isStateText(value) && { state: value }),
    ...(ENDS.some((end) => end === status) && { status: status as TracedState['status'] }),
  };
}

function contextIn({ context }: StatelySnapshot): Pick<EventRecord, 'context'> {
  return context === undefined ? {} : { context: redact(context) };
}

function isStateText(value: unknown): value is StateText {
  if (typeof value === 'string') return true;
  return typeof value === 'object' && value !== null && Object.values(value).every(isStateText);
}

/** What a client tells by itself is of no system. */
const ANONYMOUS = 'anonymous';
const ENDS = ['done', 'error', 'stopped'];
const MAX_ACTORS = 4_000;
const MAX_MACHINES = 500;
