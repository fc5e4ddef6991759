import { once } from 'node:events';
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';

export interface FrameShape {
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The reserved bits, 0x40 for compression. */
  readonly reserved?: number;
  /** What the header says; the payload's length when absent. */
  readonly length?: number;
}

/** A WebSocket frame (RFC 6455 section 5.2), right or wrong; the mask is all zeroes. */
export function frame(opcode: number, payload: Uint8Array, shape: FrameShape = {}): Buffer {
  const { fin = true, masked = true, reserved = 0, length = payload.length } = shape;
  const first = (fin ? 0x80 : 0) | reserved | opcode;
  const mask = masked ? 0x80 : 0;
  const header =
    length < 126
      ? Buffer.from([first, mask | length])
      : length < 65_536
        ? Buffer.from([first, mask | 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([first, mask | 127]), bigEndian(length)]);
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** The head of an upgrade request, with more fields where wanted. */
export function upgradeRequest(fields: readonly string[] = []): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...fields,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A TCP connection and what came on it. */
export interface RawSocket {
  readonly socket: Socket;
  /** All that was received so far, as latin1. */
  readonly text: () => string;
  /** Fulfils with it when the connection has ended, in whatever way. */
  readonly ended: Promise<string>;
  /** Fulfils when this has been received, or with false when the connection has ended without. */
  until(text: string): Promise<boolean>;
}

/** Connects; `options` may say from which address. */
export async function rawSocket(options: TcpNetConnectOpts): Promise<RawSocket> {
  const raw = follow(connectTcp({ noDelay: true, ...options }));
  await once(raw.socket, 'connect');
  return raw;
}

export function follow(socket: Socket): RawSocket {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  // However the server ends it: what was received before that is looked at.
  socket.on('error', () => {});
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return {
    socket,
    text: () => text,
    ended,
    until(wanted) {
      return new Promise((resolve) => {
        const look = (): void => {
          if (text.includes(wanted)) settle(true);
        };
        const settle = (found: boolean): void => {
          socket.off('data', look);
          resolve(found);
        };
        socket.on('data', look);
        ended.then(() => settle(text.includes(wanted)));
        look();
      });
    },
  };
}

/** A WebSocket by hand: connected and upgraded, all that is sent after is the caller's. */
export async function rawWebSocket(options: TcpNetConnectOpts, fields?: readonly string[]): Promise<RawSocket> {
  const raw = await rawSocket(options);
  raw.socket.write(upgradeRequest(fields));
  await raw.until('"type":"hello"');
  return raw;
}

/** Code and reason of the close frame at the end of what a server has sent; `undefined` when there is none. */
export function closeFrame(received: string): { readonly code: number; readonly reason: string } | undefined {
  const bytes = Buffer.from(received, 'latin1');
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const opcode = bytes[at]! & 0x0f;
    const short = bytes[at + 1]!;
    const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    if (opcode === 0x8) {
      return { code: bytes.readUInt16BE(start), reason: bytes.toString('utf8', start + 2, start + length) };
    }
    at = start + length;
  }
  return undefined;
}
