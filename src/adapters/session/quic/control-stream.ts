import type { Connection } from '@matrixai/quic/native/types.js';
import { TraversalError } from '../../../core/errors.ts';
import { ControlDecoder, type ControlMessage, encodeControl } from '../../../protocol/session/control.ts';

/**
 * Both halves of the control channel: our unidirectional stream and the other side's. Neither may be refused, ended,
 * reset or stopped: for the session that is a violation, `ERR_PROTOCOL`. It shows in `receive` and `flush`, which the
 * session calls every turn, never in `send`, which a program reaches through its streams.
 */
export class ControlStream {
  /** Id of the stream that the other side opens (RFC 9000 section 2.1). */
  readonly incomingId: number;
  readonly #connection: Connection;
  readonly #outgoingId: number;
  readonly #decoder = new ControlDecoder();
  /** What quiche had no room for. */
  #pending: Uint8Array = new Uint8Array();

  /** Throws `ERR_PROTOCOL` when the other side's transport parameters leave no room for our stream. */
  constructor(connection: Connection, role: 'client' | 'server') {
    this.#connection = connection;
    this.#outgoingId = role === 'client' ? 2 : 3;
    this.incomingId = role === 'client' ? 3 : 2;
    if (connection.peerStreamsLeftUni() === 0) throw violation('allows none of ours');
    connection.streamPriority(this.#outgoingId, MOST_URGENT, true); // opens it
  }

  /** Sends now what there is room for; the rest, and what was wrong, is for the next {@link flush}. */
  send(message: ControlMessage): void {
    this.#pending = Buffer.concat([this.#pending, encodeControl(message)]);
    if (this.#whyClosed() === undefined) this.#offer();
  }

  /** The same; false when too much waits for room already. */
  note(bytes: Uint8Array): boolean {
    if (this.#pending.length > MAX_WAITING_NOTES) return false;
    this.send({ type: 'note', bytes });
    return true;
  }

  /**
   * Sends what waits for room. Throws `ERR_PROTOCOL` when the other side stopped our stream, or reads it too slowly.
   */
  flush(): void {
    const why = this.#whyClosed();
    if (why !== undefined) throw violation('stopped ours', why);
    if (this.#pending.length > 0) this.#offer();
    if (this.#pending.length > MAX_PENDING) throw violation('does not read ours');
  }

  /**
   * What has come in. Throws `ERR_PROTOCOL` when the other side ended or reset its stream, {@link DecodeError} for what
   * it says.
   */
  receive(): ControlMessage[] {
    const messages: ControlMessage[] = [];
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const received = this.#take(buffer);
      if (received === null) return messages;
      const [length, fin] = received;
      if (fin) throw violation('ended its own');
      messages.push(...this.#decoder.push(buffer.subarray(0, length)));
    }
  }

  #take(buffer: Uint8Array): [number, boolean] | null {
    try {
      return this.#connection.streamRecv(this.incomingId, buffer);
    } catch (why) {
      throw violation('reset its own', why); // the stream is readable: nothing else is left
    }
  }

  /** quiche throws only when the stream is closed, which has been asked. */
  #offer(): void {
    const sent = this.#connection.streamSend(this.#outgoingId, this.#pending, false) ?? 0;
    this.#pending = this.#pending.subarray(sent);
  }

  /**
   * quiche's `StreamStopped`, or `InvalidStreamState` once it forgot the stopped stream, for which `streamSend` gives a
   * mere null.
   */
  #whyClosed(): unknown {
    try {
      this.#connection.streamCapacity(this.#outgoingId);
      return undefined;
    } catch (why) {
      return why;
    }
  }
}

function violation(what: string, cause?: unknown): TraversalError {
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  return new TraversalError('ERR_PROTOCOL', `control stream: the other side ${what}${detail}`, { cause });
}

const MOST_URGENT = 0;
const MAX_PENDING = 2 ** 16;
/** Far from what is held against the other side. */
const MAX_WAITING_NOTES = 2 ** 14;
