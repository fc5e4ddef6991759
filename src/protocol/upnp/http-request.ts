import { endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import type { GatewayUrl } from './gateway-url.ts';
import { createHeadReader, MAX_HEAD } from './head-reader.ts';
import type { MessageHead } from './message-head.ts';
import { createReceiveBuffer } from './receive-buffer.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: GatewayUrl;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** One HTTP/1.1 request, alone on its connection (RFC 9112 sections 3 and 9.6). */
export function encodeHttpRequest({ method, url, fields = {}, body }: HttpRequest): Uint8Array {
  const lines = [
    `${method} ${url.path} HTTP/1.1`,
    `Host: ${formatEndpoint(endpoint(url.address, url.port))}`,
    'Connection: close',
    'User-Agent: sallyport UPnP/2.0',
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
  ];
  const head = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
  return body === undefined ? head : Buffer.concat([head, body]);
}

/** A request as a gateway has it. */
export interface ReceivedRequest {
  /** As it came: a gateway knows GET and POST. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Reads one request (RFC 9112) from the chunks of a connection. Throws `DecodeError` as soon as it cannot become one. */
export interface HttpRequestReader {
  /** The request, once it is whole. What comes after it is ignored. */
  push(bytes: Uint8Array): ReceivedRequest | undefined;
}

/**
 * `maxBody` in bytes: a body that says to be longer is refused, and so is a head of more than 8 KiB, and a body in chunks: control
 * points know its length. Nothing beyond that is ever kept.
 */
export function createHttpRequestReader({ maxBody }: { readonly maxBody: number }): HttpRequestReader {
  const received = createReceiveBuffer(MAX_HEAD + END.length + maxBody);
  const heads = createHeadReader(received);
  let head: RequestHead | undefined;

  return {
    push(bytes) {
      received.append(bytes);
      const next = head === undefined ? heads.take() : undefined;
      if (next !== undefined) head = readRequestHead(next, maxBody);
      if (head === undefined || received.bytes.length < head.length) return undefined;
      const { length, ...request } = head;
      return { ...request, body: received.bytes.slice(0, length) };
    },
  };
}

/** The longest end of a head. */
const END = '\r\n\r\n';

interface RequestHead extends Omit<ReceivedRequest, 'body'> {
  /** Bytes of the body. */
  readonly length: number;
}

function readRequestHead({ startLine, fields }: MessageHead, maxBody: number): RequestHead {
  const [, method, path] = /^([A-Z]{1,16}) (\/[!-~]{0,1023}) HTTP\/1\.[01]$/.exec(startLine) ?? [];
  if (method === undefined || path === undefined) throw new DecodeError('http/request-line');
  if (fields.has('transfer-encoding')) throw new DecodeError('http/transfer-encoding');
  const length = fields.get('content-length') ?? '0';
  if (!/^\d{1,15}$/.test(length)) throw new DecodeError('http/content-length');
  if (Number(length) > maxBody) throw new DecodeError('http/body', `more than ${maxBody} bytes`);
  return { method, path, fields, length: Number(length) };
}
