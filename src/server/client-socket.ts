import type { WebSocket } from 'ws';
import type { Log } from '../core/log.ts';

/** One client's WebSocket, with bounds on what waits for a slow reader. */
export interface ClientSocket {
  /** Ends the connection, and gives false, when the reader is so slow that control frames pile up. */
  sendControl(frame: string): boolean;
  /** False when the datagram was dropped because the reader is slow. */
  sendDatagram(frame: Uint8Array): boolean;
  /** Asks for a sign of life; ends the connection when there was none since the last time. */
  probe(): void;
  close(code: number, reason: string): void;
  /** Ends the connection without waiting for the other side. */
  terminate(): void;
}

export interface ClientSocketEvents {
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** `silent`: ended for want of a sign of life. */
  readonly onClose: (silent: boolean) => void;
  readonly log: Log;
}

export function createClientSocket(socket: WebSocket, { onFrame, onClose, log }: ClientSocketEvents): ClientSocket {
  let alive = true;
  let silent = false;
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', (data, isBinary) => {
    alive = true;
    // With the default binaryType both kinds of message come as one Buffer.
    onFrame(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8'));
  });
  socket.on('error', ({ message }) => log('server.socket-error', { message }));
  socket.on('close', () => onClose(silent));
  return {
    sendControl(frame) {
      if (socket.bufferedAmount > MAX_QUEUED) {
        socket.terminate();
        return false;
      }
      socket.send(frame);
      return true;
    },
    sendDatagram(frame) {
      if (socket.bufferedAmount > MAX_QUEUED_FOR_DATAGRAMS) return false;
      socket.send(frame);
      return true;
    },
    probe() {
      if (!alive) {
        silent = true;
        socket.terminate();
        return;
      }
      alive = false;
      socket.ping();
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

/** Bytes waiting for a reader. */
const MAX_QUEUED_FOR_DATAGRAMS = 256 * 1024;
const MAX_QUEUED = 1024 * 1024;
