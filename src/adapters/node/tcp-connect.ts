import { createConnection, type Socket } from 'node:net';
import { TraversalError } from '../../core/errors.ts';
import type { ByteSocket, TcpConnectOptions } from '../../core/network.ts';
import { abortedError, systemError } from './system-error.ts';
import { tcpSocket } from './tcp-socket.ts';

/**
 * Opens a TCP connection; the addresses of a host name are tried one after the other (in the manner of RFC 8305).
 * The signal ends the attempt, not the connection that came of it. Errors: those of `Network.connect`.
 */
export async function connectTcp(options: TcpConnectOptions): Promise<ByteSocket> {
  const doing = `connecting to ${options.host} port ${options.port} over TCP`;
  try {
    const socket = await connect(options, doing);
    const connected = tcpSocket(socket);
    if (connected !== undefined) return connected;
    socket.destroy();
    throw new TraversalError('ERR_CONNECTION_RESET', `${doing}: the other side ended the connection at once`);
  } catch (error) {
    throw systemError(error, doing);
  }
}

function connect({ host, port, localPort, signal }: TcpConnectOptions, doing: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedError(doing, signal));
    const socket = createConnection({ host, port, localPort, allowHalfOpen: true });
    const onAbort = (): void => {
      socket.destroy();
      settle();
      reject(abortedError(doing, signal));
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('connect', onConnect);
    };
    signal?.addEventListener('abort', onAbort);
    socket.on('error', onError).on('connect', onConnect);
  });
}
