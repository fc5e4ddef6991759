/**
 * The one round trip that comes before the frames: an HTTP request and its answer (RFC 6455 section 4), of the size that they
 * have in reality. The key is always that of RFC 6455 section 1.3, since nobody here has a use for it.
 */
import { DecodeError } from '../../core/errors.ts';
import type { ByteSocket } from '../../core/network.ts';

/** The client's part. Gives what has come after the answer. Errors: `ERR_DECODE`, `ERR_CONNECTION_RESET` and others of reading. */
export async function requestUpgrade(socket: ByteStream, host: string): Promise<Uint8Array> {
  await socket.write(Buffer.from(REQUEST + host + END, 'latin1'));
  const { head, rest } = await readHead(socket);
  if (head !== ANSWER) throw new DecodeError('websocket/upgrade', 'the server answered with something else');
  return rest;
}

/** The server's part. Gives the host that the client dialled, and what has come after its request. Errors: the same. */
export async function acceptUpgrade(socket: ByteStream): Promise<{ host: string; rest: Uint8Array }> {
  const { head, rest } = await readHead(socket);
  if (!head.startsWith(REQUEST)) throw new DecodeError('websocket/upgrade', 'the client asked for something else');
  await socket.write(Buffer.from(ANSWER + END, 'latin1'));
  return { host: head.slice(REQUEST.length), rest };
}

/** A TCP connection, as far as it is needed here. */
export type ByteStream = Pick<ByteSocket, 'read' | 'write' | 'queued' | 'end' | 'destroy'>;

/** Reads up to the empty line, and looks at no byte of the head twice but the last three. */
async function readHead(socket: ByteStream): Promise<{ head: string; rest: Uint8Array }> {
  const bytes = Buffer.alloc(MAX_HEAD);
  for (let before = 0; before < MAX_HEAD; ) {
    const chunk = await socket.read();
    if (chunk === null) throw new DecodeError('websocket/upgrade', 'the connection ended');
    const length = Math.min(MAX_HEAD, before + chunk.length);
    bytes.set(chunk.subarray(0, length - before), before);
    const end = bytes.subarray(0, length).indexOf(END, Math.max(0, before - END.length + 1));
    if (end >= 0) return { head: bytes.toString('latin1', 0, end), rest: chunk.subarray(end + END.length - before) };
    before = length;
  }
  throw new DecodeError('websocket/upgrade', `more than ${MAX_HEAD} bytes`);
}

const REQUEST = [
  'GET / HTTP/1.1',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Host: ',
].join('\r\n');
const ANSWER = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
].join('\r\n');
const END = '\r\n\r\n';
/** Bytes, with the empty line. */
const MAX_HEAD = 1_024;
