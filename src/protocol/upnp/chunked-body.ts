import { DecodeError } from '../../core/errors.ts';
import { latin1 } from './message-head.ts';
import { createReceiveBuffer } from './receive-buffer.ts';

/** Decodes the chunked transfer coding (RFC 9112 section 7.1). Trailers are not waited for: the last chunk ends the body. */
export interface ChunkedBody {
  /** Takes the complete chunks at the start of `bytes`, and gives the number of bytes that it took. Throws `DecodeError`. */
  take(bytes: Uint8Array): number;
  /** There once the last chunk has been taken. */
  readonly body: Uint8Array | undefined;
}

/** `maxBody` in bytes. */
export function createChunkedBody(maxBody: number): ChunkedBody {
  const decoded = createReceiveBuffer(maxBody);
  let body: Uint8Array | undefined;

  function takeChunk(bytes: Uint8Array): number {
    const lineEnd = bytes.indexOf(LF);
    if ((lineEnd < 0 ? bytes.length : lineEnd) > MAX_LINE) throw new DecodeError('http/chunk', 'a size too long');
    if (lineEnd < 0) return 0;
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;[^\r]*)?\r?$/i.exec(latin1(bytes.subarray(0, lineEnd)))?.[1];
    if (size === undefined) throw new DecodeError('http/chunk', 'not a size');
    const data = lineEnd + 1;
    const end = data + Number.parseInt(size, 16);
    if (end === data) {
      body = decoded.bytes.slice();
      return data;
    }
    if (decoded.bytes.length + end - data > maxBody) throw new DecodeError('http/body', `more than ${maxBody} bytes`);
    const next = end + (bytes[end] === CR ? 2 : 1);
    if (bytes.length < next) return 0;
    if (bytes[next - 1] !== LF) throw new DecodeError('http/chunk', 'longer than its size');
    decoded.append(bytes.subarray(data, end));
    return next;
  }

  return {
    take(bytes) {
      let taken = 0;
      while (body === undefined) {
        const used = takeChunk(bytes.subarray(taken));
        if (used === 0) break;
        taken += used;
      }
      return taken;
    },
    get body() {
      return body;
    },
  };
}

/** Bytes of a size and its extensions. */
const MAX_LINE = 256;
const LF = 0x0a;
const CR = 0x0d;
