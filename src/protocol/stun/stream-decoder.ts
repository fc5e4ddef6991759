import { DecodeError } from '../../core/errors.ts';
import { HEADER_LENGTH, MAGIC_COOKIE } from './header.ts';

/** Takes STUN messages from a byte stream, however it was cut into chunks (RFC 8489 section 6.2.2). */
export interface StunStreamDecoder {
  /**
   * The messages that this chunk completes, valid until the chunk is changed. What is not complete is kept, less than the longest message.
   * Throws {@link DecodeError} at `stun/stream/..` when it is not STUN, or longer: where the next message begins is then nobody's
   * guess.
   */
  decode(chunk: Uint8Array): readonly Uint8Array[];
}

/** `longest`: bytes that a message may have, its header included; at least 20. */
export function createStunStreamDecoder(longest: number): StunStreamDecoder {
  /** Of a message that is not complete. */
  let begun: Uint8Array = new Uint8Array(0);
  return {
    decode(chunk) {
      const bytes = Buffer.concat([begun, chunk]);
      const messages: Uint8Array[] = [];
      let start = 0;
      while (bytes.length - start >= HEADER_LENGTH) {
        const end = start + messageLength(bytes.subarray(start), longest);
        if (end > bytes.length) break;
        messages.push(bytes.subarray(start, end));
        start = end;
      }
      begun = Uint8Array.from(bytes.subarray(start));
      return messages;
    },
  };
}

/** Bytes of the message whose header this begins with. */
function messageLength(bytes: Buffer, longest: number): number {
  if (bytes[0]! >= 0x40) throw new DecodeError('stun/stream/type', `${bytes[0]}`);
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE) throw new DecodeError('stun/stream/cookie');
  const length = HEADER_LENGTH + bytes.readUInt16BE(2);
  if (length % 4 !== 0 || length > longest) throw new DecodeError('stun/stream/length', `${length} bytes`);
  return length;
}
