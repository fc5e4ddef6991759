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

/** Reads up to the empty line. */
async function readHead(socket: ByteStream): Promise<{ head: string; rest: Uint8Array }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await socket.read();
    if (chunk === null) throw new DecodeError('websocket/upgrade', 'the connection ended');
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf(END);
    if (end >= 0) return { head: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + END.length) };
    if (bytes.length > MAX_HEAD) throw new DecodeError('websocket/upgrade', 'too long');
  }
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
/** Bytes. */
const MAX_HEAD = 1_024;
