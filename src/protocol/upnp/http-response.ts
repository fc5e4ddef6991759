import { DecodeError } from '../../core/errors.ts';
import { type ChunkedBody, createChunkedBody } from './chunked-body.ts';
import { createHeadReader, MAX_HEAD } from './head-reader.ts';
import type { MessageHead } from './message-head.ts';
import { createReceiveBuffer } from './receive-buffer.ts';

export interface HttpResponse {
  /** 200..599. */
  readonly status: number;
  readonly body: Uint8Array;
}

/** One HTTP/1.1 response, the last on its connection (RFC 9112 sections 4 and 9.6). */
export function encodeHttpResponse({ status, body }: HttpResponse, contentType: string): Uint8Array {
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ''}`,
    'Connection: close',
    'Server: sallyport UPnP/2.0',
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** RFC 9110 section 15. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
};

/** Reads one response (RFC 9112) from the chunks of a connection. Throws `DecodeError` as soon as it cannot become one. */
export interface HttpResponseReader {
  /** The response, once it is whole. What comes after it is ignored. */
  push(bytes: Uint8Array): HttpResponse | undefined;
  /** The other side has ended the connection. */
  end(): HttpResponse;
}

/**
 * `maxBody` in bytes: a body that is or says to be longer is refused, and so is a head of more than 8 KiB. Nothing beyond that, and
 * the same again for what a transfer coding adds, is ever kept.
 */
export function createHttpResponseReader({ maxBody }: { readonly maxBody: number }): HttpResponseReader {
  const limit = MAX_HEAD + 2 * maxBody;
  const received = createReceiveBuffer(limit);
  const heads = createHeadReader(received);
  let head: ResponseHead | undefined;
  let chunked: ChunkedBody | undefined;

  /** Passes over interim responses (RFC 9110 section 15.2). */
  function readHead(): ResponseHead | undefined {
    for (let next = heads.take(); next !== undefined; next = heads.take()) {
      const read = readResponseHead(next, maxBody);
      if (read.status >= 200) return read;
    }
    return undefined;
  }

  function readBody({ status, framing }: ResponseHead): HttpResponse | undefined {
    if (framing === 'chunked') {
      chunked ??= createChunkedBody(maxBody);
      received.drop(chunked.take(received.bytes));
      return chunked.body && { status, body: chunked.body };
    }
    if (framing === 'close') {
      if (received.bytes.length > maxBody) throw tooLong(maxBody);
      return undefined;
    }
    return received.bytes.length < framing ? undefined : { status, body: received.bytes.slice(0, framing) };
  }

  return {
    push(bytes) {
      const taken = received.append(bytes);
      head ??= readHead();
      const response = head && readBody(head);
      if (response === undefined && taken < bytes.length)
        throw new DecodeError('http/length', `more than ${limit} bytes`);
      return response;
    },
    end() {
      if (head?.framing !== 'close') throw new DecodeError('http/end', 'the connection ended too early');
      return { status: head.status, body: received.bytes.slice() };
    },
  };
}

interface ResponseHead {
  readonly status: number;
  /** How the body ends: after so many bytes, with its last chunk, or with the connection (RFC 9112 section 6.3). */
  readonly framing: number | 'chunked' | 'close';
}

function readResponseHead({ startLine, fields }: MessageHead, maxBody: number): ResponseHead {
  const code = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(startLine)?.[1];
  if (code === undefined) throw new DecodeError('http/status-line');
  const status = Number(code);
  if (status < 200 || status === 204 || status === 304) return { status, framing: 0 };
  const coding = fields.get('transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new DecodeError('http/transfer-encoding');
    return { status, framing: 'chunked' };
  }
  const length = fields.get('content-length');
  if (length === undefined) return { status, framing: 'close' };
  if (!/^\d{1,15}$/.test(length)) throw new DecodeError('http/content-length');
  if (Number(length) > maxBody) throw tooLong(maxBody);
  return { status, framing: Number(length) };
}

function tooLong(maxBody: number): DecodeError {
  return new DecodeError('http/body', `more than ${maxBody} bytes`);
}
