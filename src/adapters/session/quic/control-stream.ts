import type { Connection } from '@matrixai/quic/native/types.js';
import { DecodeError } from '../../../core/errors.ts';
import { ControlDecoder, type ControlMessage, encodeControl } from './control.ts';

/** Both halves of the control channel: our unidirectional stream and the other side's. */
export class ControlStream {
  /** Id of the stream that the other side opens (RFC 9000 section 2.1). */
  readonly incomingId: number;
  readonly #connection: Connection;
  readonly #outgoingId: number;
  readonly #decoder = new ControlDecoder();
  /** What quiche had no room for. */
  #pending: Uint8Array = new Uint8Array();

  constructor(connection: Connection, role: 'client' | 'server') {
    this.#connection = connection;
    this.#outgoingId = role === 'client' ? 2 : 3;
    this.incomingId = role === 'client' ? 3 : 2;
    connection.streamPriority(this.#outgoingId, MOST_URGENT, true);
  }

  send(message: ControlMessage): void {
    this.#pending = Buffer.concat([this.#pending, encodeControl(message)]);
    this.#offer();
  }

  /** Sends what waits for room. Throws {@link DecodeError} when the other side has not read for so long that too much waits. */
  flush(): void {
    if (this.#pending.length > 0) this.#offer();
    if (this.#pending.length > MAX_PENDING) throw new DecodeError('session/control', 'the other side does not read it');
  }

  /** What has come in. Throws {@link DecodeError}, also when the other side ended the stream. */
  receive(): ControlMessage[] {
    const messages: ControlMessage[] = [];
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const received = this.#connection.streamRecv(this.incomingId, buffer);
      if (received === null) return messages;
      const [length, fin] = received;
      if (fin) throw new DecodeError('session/control', 'it was ended');
      messages.push(...this.#decoder.push(buffer.subarray(0, length)));
    }
  }

  #offer(): void {
    const sent = this.#connection.streamSend(this.#outgoingId, this.#pending, false) ?? 0;
    this.#pending = this.#pending.subarray(sent);
  }
}

const MOST_URGENT = 0;
const MAX_PENDING = 2 ** 16;
