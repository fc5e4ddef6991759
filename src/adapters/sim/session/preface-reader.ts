import { DecodeError } from '../../../core/errors.ts';
import { decodePrefaceHeader, decodePrefaceName, PREFACE_HEADER } from '../../../protocol/session/preface.ts';
import type { ReceiveHalf } from './receive-half.ts';

/** Reads a stream's preface as it comes in, and not one byte of what follows. */
export class PrefaceReader {
  readonly #half: ReceiveHalf;
  readonly #parts: Buffer[] = [];
  /** Bytes to come of the header, then of the name. */
  #missing = PREFACE_HEADER;
  #headerRead = false;

  constructor(half: ReceiveHalf) {
    this.#half = half;
  }

  /** The protocol's name; `undefined` while bytes are missing. Throws {@link DecodeError}. */
  read(): string | undefined {
    while (this.#fill()) {
      const part = Buffer.concat(this.#parts.splice(0));
      if (this.#headerRead) return decodePrefaceName(part);
      this.#missing = decodePrefaceHeader(part);
      this.#headerRead = true;
    }
    return undefined;
  }

  /** Whether the current part is whole. */
  #fill(): boolean {
    while (this.#missing > 0) {
      const bytes = this.#half.read(this.#missing);
      if (bytes === undefined) return false;
      if (bytes === null) throw new DecodeError('session/preface', 'the stream ended within it');
      this.#missing -= bytes.length;
      this.#parts.push(bytes);
    }
    return true;
  }
}
