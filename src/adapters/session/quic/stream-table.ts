import type { Connection } from '@matrixai/quic/native/types.js';
import { Deferred } from '../../../core/deferred.ts';
import { DecodeError, type TraversalError } from '../../../core/errors.ts';
import type { SessionStream } from '../../../core/session.ts';
import { StreamCode } from '../../../protocol/session/codes.ts';
import type { ControlMessage } from '../../../protocol/session/control.ts';
import { encodePreface } from '../../../protocol/session/preface.ts';
import { ControlStream } from './control-stream.ts';
import { PrefaceReader } from './preface-reader.ts';
import { QuicStream, type StreamOwner } from './quic-stream.ts';
import { shutdownStream } from './shutdown.ts';

export interface StreamTableOptions {
  readonly connection: Connection;
  readonly role: 'client' | 'server';
  /** Asks for a turn: something is to be sent. */
  readonly wake: () => void;
  /** Takes an incoming stream; false when nobody wants it. */
  readonly accept: (stream: SessionStream) => boolean;
  readonly onNote: (bytes: Uint8Array) => void;
}

export type CloseMessage = Extract<ControlMessage, { type: 'close' }>;

/** The streams of an established session: opens them, announces incoming ones, wakes those that wait. */
export class StreamTable implements StreamOwner {
  readonly connection: Connection;
  readonly wake: () => void;
  readonly #accept: (stream: SessionStream) => boolean;
  readonly #onNote: (bytes: Uint8Array) => void;
  readonly #control: ControlStream;
  readonly #streams = new Map<number, QuicStream>();
  /** Incoming streams whose preface is not whole. */
  readonly #arriving = new Map<number, PrefaceReader>();
  readonly #waitingForRoom = new Set<QuicStream>();
  /** Ids go up in steps of 4 (RFC 9000 section 2.1). */
  #nextId: number;
  /** Resolved when one more stream may be opened. */
  #credit: Deferred | undefined;
  #ended: TraversalError | undefined;

  /** Throws `ERR_PROTOCOL` when the other side allows no control stream. */
  constructor({ connection, role, wake, accept, onNote }: StreamTableOptions) {
    this.connection = connection;
    this.wake = wake;
    this.#accept = accept;
    this.#onNote = onNote;
    this.#control = new ControlStream(connection, role);
    this.#nextId = role === 'client' ? 0 : 1;
  }

  /** Waits while the other side allows no more streams. Errors: `ERR_CLOSED`. */
  async open(protocol: string): Promise<SessionStream> {
    const preface = encodePreface(protocol);
    while (this.#ended === undefined && this.connection.peerStreamsLeftBidi() === 0) {
      this.#credit ??= new Deferred();
      await this.#credit.promise;
    }
    if (this.#ended !== undefined) throw this.#ended;
    const stream = new QuicStream(this.#nextId, protocol, this);
    this.#nextId += 4;
    this.#streams.set(stream.id, stream);
    await stream.write(preface);
    return stream;
  }

  /**
   * Looks at everything that can have changed. Returns the other side's wish to close, once what came in before it is
   * dealt with. Throws `ERR_PROTOCOL` or {@link DecodeError} when the other side broke the rules of the control stream.
   */
  turn(): CloseMessage | undefined {
    const close = this.connection.isReadable() ? this.#readAll() : undefined;
    // Whoever got some room goes to the back of the queue.
    for (const stream of [...this.#waitingForRoom]) {
      this.#waitingForRoom.delete(stream);
      if (stream.onWritable()) this.#waitingForRoom.add(stream);
    }
    this.#control.flush();
    if (this.#credit !== undefined && this.connection.peerStreamsLeftBidi() > 0) {
      this.#credit.resolve();
      this.#credit = undefined;
    }
    return close;
  }

  /** Tells the other side that this one wants to close. */
  sendClose(code: number, reason: string): void {
    this.#tell({ type: 'close', code, reason });
  }

  /** False when too many wait. */
  note(bytes: Uint8Array): boolean {
    if (!this.#control.note(bytes)) return false;
    this.wake();
    return true;
  }

  /** The session is over; `drain`: bytes that came in may still be read. */
  end(error: TraversalError, drain: boolean): void {
    this.#ended = error;
    this.#credit?.resolve();
    for (const stream of [...this.#streams.values()]) stream.onSessionEnd(error, drain);
    this.#streams.clear();
    this.#arriving.clear();
    this.#waitingForRoom.clear();
  }

  waitForRoom(stream: QuicStream): void {
    this.#waitingForRoom.add(stream);
  }

  readingOver(stream: QuicStream, how: 'finished' | 'abandoned'): void {
    if (this.#ended === undefined) this.#tell({ type: how, streamId: stream.id });
  }

  release(stream: QuicStream): void {
    this.#streams.delete(stream.id);
  }

  #readAll(): CloseMessage | undefined {
    let close: CloseMessage | undefined;
    for (const id of this.connection.readable()) {
      const stream = this.#streams.get(id);
      if (stream !== undefined) stream.onReadable();
      else if (id === this.#control.incomingId) close = this.#readControl();
      else if (isBidirectional(id) && this.#ended === undefined) this.#arrive(id);
    }
    return close;
  }

  #tell(message: ControlMessage): void {
    this.#control.send(message);
    this.wake();
  }

  #readControl(): CloseMessage | undefined {
    for (const message of this.#control.receive()) {
      if (message.type === 'close') return message;
      if (message.type === 'note') this.#onNote(message.bytes);
      else if (message.type === 'finished') this.#streams.get(message.streamId)?.onFinished();
      else this.#streams.get(message.streamId)?.onAbandoned();
    }
    return undefined;
  }

  #arrive(id: number): void {
    let reader = this.#arriving.get(id);
    if (reader === undefined) {
      reader = new PrefaceReader(this.connection, id);
      this.#arriving.set(id, reader);
    }
    let protocol: string | undefined;
    try {
      protocol = reader.read();
    } catch (error) {
      this.#arriving.delete(id);
      this.#refuse(id, error);
      return;
    }
    if (protocol === undefined) return;
    this.#arriving.delete(id);
    const stream = new QuicStream(id, protocol, this);
    this.#streams.set(id, stream);
    if (!this.#accept(stream)) stream.reset(StreamCode.REFUSED);
  }

  /** The preface was none, or the other side reset the stream within it. */
  #refuse(id: number, error: unknown): void {
    const wrongVersion = error instanceof DecodeError && error.where === 'session/preface/version';
    shutdownStream(this.connection, id, wrongVersion ? StreamCode.VERSION : StreamCode.PREFACE);
  }
}

/**
 * RFC 9000 section 2.1. Ids of our own streams never get here: they are in the table until both directions are over.
 */
function isBidirectional(id: number): boolean {
  return (id & 2) === 0;
}
