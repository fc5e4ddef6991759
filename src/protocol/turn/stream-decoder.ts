/**
 * TURN on a byte stream (RFC 8656 sections 2.1 and 12.5): STUN messages and padded ChannelData, one after the other. Each
 * says its own length, and its first two bits which of the two it is: 00 STUN, 01 ChannelData.
 */
import { DecodeError } from '../../core/errors.ts';
import { HEADER_LENGTH, MAGIC_COOKIE } from '../stun/header.ts';
import { CHANNEL_HEADER_LENGTH, paddedLength } from './channel-data.ts';

/** Takes messages from a stream, however it was cut into chunks. */
export interface TurnStreamDecoder {
  /**
   * The messages that this chunk completes, valid until the chunk is changed; what is not complete is kept, at most 64 KiB
   * by the lengths that messages can say. Throws {@link DecodeError} at `turn/stream/..` when it is neither STUN nor
   * ChannelData: where the next message begins is then nobody's guess.
   */
  decode(chunk: Uint8Array): readonly Uint8Array[];
}

export function createTurnStreamDecoder(): TurnStreamDecoder {
  /** Pieces of a message that is not complete, joined once it is. */
  let pieces: Uint8Array[] = [];
  let size = 0;
  /** Bytes of the message, or so many as tell it. */
  let needed = CHANNEL_HEADER_LENGTH;
  return {
    decode(chunk) {
      size += chunk.length;
      if (size < needed) {
        pieces.push(Uint8Array.from(chunk));
        return [];
      }
      const bytes = Buffer.concat([...pieces, chunk]);
      const messages: Uint8Array[] = [];
      let start = 0;
      for (;;) {
        const left = bytes.subarray(start);
        needed = left.length < CHANNEL_HEADER_LENGTH ? CHANNEL_HEADER_LENGTH : messageLength(left);
        if (left.length < needed) {
          pieces = [Uint8Array.from(left)];
          size = left.length;
          return messages;
        }
        messages.push(left.subarray(0, needed));
        start += needed;
      }
    },
  };
}

/** Bytes of the message that begins here, by its first four. */
function messageLength(bytes: Buffer): number {
  const first = bytes[0]!;
  const length = bytes.readUInt16BE(2);
  if (first >= 0x40 && first <= 0x4f) return CHANNEL_HEADER_LENGTH + paddedLength(length);
  if (first >= 0x40) throw new DecodeError('turn/stream/type', `${first}`);
  if (length % 4 !== 0) throw new DecodeError('turn/stream/length', `${length}`);
  if (bytes.length >= 8 && bytes.readUInt32BE(4) !== MAGIC_COOKIE) throw new DecodeError('turn/stream/cookie');
  return HEADER_LENGTH + length;
}
