import type { Connection } from '@matrixai/quic/native/types.js';
import { DecodeError } from '../../../core/errors.ts';
import { decodePrefaceHeader, decodePrefaceName, PREFACE_HEADER } from '../../../protocol/session/preface.ts';

/** Reads a stream's preface as it comes in, and not one byte of what follows. */
export class PrefaceReader {
  readonly #connection: Connection;
  readonly #id: number;
  #part: Buffer = Buffer.alloc(PREFACE_HEADER);
  #filled = 0;
  #headerRead = false;

  constructor(connection: Connection, id: number) {
    this.#connection = connection;
    this.#id = id;
  }

  /**
   * The protocol's name; `undefined` while bytes are missing. Throws {@link DecodeError}, or what quiche says of a
   * reset stream.
   */
  read(): string | undefined {
    while (this.#fill()) {
      if (this.#headerRead) return decodePrefaceName(this.#part);
      this.#part = Buffer.alloc(decodePrefaceHeader(this.#part));
      this.#filled = 0;
      this.#headerRead = true;
    }
    return undefined;
  }

  /** Whether the current part is whole. */
  #fill(): boolean {
    while (this.#filled < this.#part.length) {
      const received = this.#connection.streamRecv(this.#id, this.#part.subarray(this.#filled));
      if (received === null) return false;
      const [length, fin] = received;
      if (fin) throw new DecodeError('session/preface', 'the stream ended within it');
      this.#filled += length;
    }
    return true;
  }
}
