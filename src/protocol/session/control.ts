import { DecodeError } from '../../core/errors.ts';

/*
 * The control stream: one unidirectional stream a side, never ended (as in RFC 9114 section 6.2.1). Its messages:
 *
 * +------+----------------------------+
 * | 0x00 | stream id (48)             |  FINISHED: I have read that stream to your end
 * +------+----------------------------+
 * | 0x01 | stream id (48)             |  ABANDONED: I shall not read that stream further
 * +------+----------------------------+--------+-----------------+
 * | 0x02 | code (48)                  | length |  reason, UTF-8  |  CLOSE: answer with CONNECTION_CLOSE
 * +------+---------------+------------+--------+-----------------+
 * | 0x03 | length (16)   | bytes, 1..1,200 ..                    |  NOTE: what the user of the session tells the other one
 * +------+---------------+---------------------------------------+
 *
 * QUIC's own acknowledgements say less (the bytes reached the host) and quiche does not show them; and a
 * CONNECTION_CLOSE may be lost, or overtake what was sent before it.
 */

export type ControlMessage =
  | { readonly type: 'finished' | 'abandoned'; readonly streamId: number }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  | { readonly type: 'note'; readonly bytes: Uint8Array };

/** Longest note in bytes. */
export const MAX_NOTE = 1200;

/** A note has to have a length that {@link isNote} accepts. */
export function encodeControl(message: ControlMessage): Uint8Array {
  switch (message.type) {
    case 'finished':
      return header(FINISHED, message.streamId);
    case 'abandoned':
      return header(ABANDONED, message.streamId);
    case 'close': {
      const reason = Buffer.from(message.reason).subarray(0, 255);
      return Buffer.concat([header(CLOSE, message.code), Buffer.of(reason.length), reason]);
    }
    case 'note':
      return Buffer.concat([Buffer.of(NOTE, message.bytes.length >> 8, message.bytes.length & 0xff), message.bytes]);
  }
}

export function isNote(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length <= MAX_NOTE;
}

/** Cuts a stream of bytes into messages. */
export class ControlDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are complete with these bytes. Throws {@link DecodeError}. */
  push(bytes: Uint8Array): ControlMessage[] {
    const buffer = Buffer.concat([this.#rest, bytes]);
    const messages: ControlMessage[] = [];
    let at = 0;
    for (;;) {
      const length = messageLength(buffer, at);
      if (length === undefined || at + length > buffer.length) break;
      messages.push(decode(buffer.subarray(at, at + length)));
      at += length;
    }
    this.#rest = buffer.subarray(at);
    return messages;
  }
}

/** `undefined` while that cannot be told. */
function messageLength(buffer: Buffer, at: number): number | undefined {
  const type = buffer[at];
  if (type === undefined) return undefined;
  if (type === FINISHED || type === ABANDONED) return HEADER;
  if (type === NOTE) return noteLength(buffer, at);
  if (type !== CLOSE) throw new DecodeError('session/control/type');
  const reason = buffer[at + HEADER];
  return reason === undefined ? undefined : HEADER + 1 + reason;
}

function noteLength(buffer: Buffer, at: number): number | undefined {
  if (at + NOTE_HEADER > buffer.length) return undefined;
  const length = buffer.readUInt16BE(at + 1);
  if (length === 0 || length > MAX_NOTE) throw new DecodeError('session/control/note');
  return NOTE_HEADER + length;
}

function decode(message: Buffer): ControlMessage {
  if (message[0] === NOTE) return { type: 'note', bytes: message.subarray(NOTE_HEADER) };
  const value = message.readUIntBE(1, 6);
  if (message[0] === CLOSE) return { type: 'close', code: value, reason: message.toString('utf8', HEADER + 1) };
  return { type: message[0] === FINISHED ? 'finished' : 'abandoned', streamId: value };
}

function header(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes[0] = type;
  bytes.writeUIntBE(value, 1, 6);
  return bytes;
}

const FINISHED = 0x00;
const ABANDONED = 0x01;
const CLOSE = 0x02;
const NOTE = 0x03;
const HEADER = 7;
const NOTE_HEADER = 3;
