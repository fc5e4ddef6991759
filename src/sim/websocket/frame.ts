/**
 * Messages on a byte stream, framed as by WebSocket (RFC 6455 section 5.2), as far as both ends here use it: a message is one
 * frame, nothing is compressed, pings and pongs are empty, and the masking key is 0, so that masking changes nothing.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-----+-------+-+-------------+-------------------------------+
 * |1|0 0 0| opcode|M|   length    |  length, 16 bits: when the 7  |
 * | |     |       | |   (7 bits)  |  bits are 126; 64 when 127    |
 * +-+-----+-------+-+-------------+-------------------------------+
 * |       masking key, 32 bits of 0: when M, from a client        |
 * +---------------------------------------------------------------+
 * |                  payload, `length` bytes ..                   |
 * +---------------------------------------------------------------+
 * ```
 * The payload of a close frame is its code in 16 bits, then its reason.
 */
import { DecodeError } from '../../core/errors.ts';
import { MAX_FRAME } from '../../protocol/rendezvous/index.ts';

/** Which end of a connection: frames of a client are masked, those of a server are not. */
export type Role = 'client' | 'server';

export type Frame =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'binary'; readonly bytes: Uint8Array }
  | { readonly type: 'ping' | 'pong' }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** A frame as this role sends it. */
export function encodeFrame(frame: Frame, role: Role): Uint8Array {
  const payload = payloadOf(frame);
  const extended = payload.length < SHORT ? 0 : payload.length < LONG ? 2 : 8;
  const key = role === 'client' ? KEY_LENGTH : 0;
  const bytes = new Uint8Array(2 + extended + key + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = FIN | OPCODES[frame.type];
  bytes[1] = (role === 'client' ? MASKED : 0) | (extended === 0 ? payload.length : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, payload.length);
  else if (extended === 8) view.setBigUint64(2, BigInt(payload.length));
  bytes.set(payload, bytes.length - payload.length);
  return bytes;
}

/** Reads the frames of the other end from a stream, however it was cut into chunks. */
export class FrameDecoder {
  readonly #masked: boolean;
  /** Of a frame that is not complete. */
  #begun: Uint8Array = new Uint8Array(0);

  /** `from`: who sends what is read. */
  constructor(from: Role) {
    this.#masked = from === 'client';
  }

  /** The frames that this chunk completes; they share its memory. Throws {@link DecodeError} for what is none. */
  decode(chunk: Uint8Array): readonly Frame[] {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const frames: Frame[] = [];
    let start = 0;
    for (let next = this.#read(bytes, start); next !== undefined; next = this.#read(bytes, start)) {
      frames.push(next.frame);
      start = next.end;
    }
    this.#begun = new Uint8Array(bytes.subarray(start));
    return frames;
  }

  /** The frame that begins at `start`, if it is complete. */
  #read(bytes: Uint8Array, start: number): { frame: Frame; end: number } | undefined {
    if (bytes.length < start + 2) return undefined;
    const type = TYPES.get(bytes[start]!);
    if (type === undefined) throw new DecodeError('websocket/opcode');
    if (((bytes[start + 1]! & MASKED) !== 0) !== this.#masked) throw new DecodeError('websocket/mask');
    const short = bytes[start + 1]! & ~MASKED;
    const extended = short < 126 ? 0 : short === 126 ? 2 : 8;
    const body = start + 2 + extended + (this.#masked ? KEY_LENGTH : 0);
    if (bytes.length < body) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length =
      extended === 0 ? short : extended === 2 ? view.getUint16(start + 2) : Number(view.getBigUint64(start + 2));
    if (length > (type === 'text' || type === 'binary' ? MAX_FRAME : MAX_CONTROL))
      throw new DecodeError('websocket/length', `${length} bytes`);
    if (this.#masked && view.getUint32(body - KEY_LENGTH) !== 0) throw new DecodeError('websocket/mask');
    const end = body + length;
    return bytes.length < end ? undefined : { frame: frameOf(type, bytes.subarray(body, end)), end };
  }
}

function payloadOf(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'text':
      return Buffer.from(frame.text, 'utf8');
    case 'binary':
      return frame.bytes;
    case 'close':
      return Buffer.concat([Uint8Array.of(frame.code >> 8, frame.code & 0xff), Buffer.from(frame.reason, 'utf8')]);
    case 'ping':
    case 'pong':
      return EMPTY;
  }
}

function frameOf(type: Frame['type'], payload: Uint8Array): Frame {
  switch (type) {
    case 'text':
      return { type, text: decodeText(payload) };
    case 'binary':
      return { type, bytes: payload };
    case 'close':
      if (payload.length < 2) throw new DecodeError('websocket/close');
      return { type, code: (payload[0]! << 8) | payload[1]!, reason: decodeText(payload.subarray(2)) };
    case 'ping':
    case 'pong':
      if (payload.length > 0) throw new DecodeError(`websocket/${type}`);
      return { type };
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new DecodeError('websocket/utf-8', String(error));
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);
const FIN = 0x80;
const MASKED = 0x80;
const OPCODES: Readonly<Record<Frame['type'], number>> = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa };
/** By the first byte of a frame. */
const TYPES = new Map(Object.entries(OPCODES).map(([type, opcode]) => [FIN | opcode, type as Frame['type']]));
/** Bytes of payload from which on the length takes 16 and 64 bits. */
const SHORT = 126;
const LONG = 65_536;
const KEY_LENGTH = 4;
/** Bytes of payload in a control frame (RFC 6455 section 5.5). */
const MAX_CONTROL = 125;
