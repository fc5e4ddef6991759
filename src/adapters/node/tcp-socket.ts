import type { Socket } from 'node:net';
import { ByteQueue } from '../../core/byte-queue.ts';
import { endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { ByteSocket } from '../../core/network.ts';
import { pushedBytes } from '../../streams/pushed-bytes.ts';
import { systemError } from './system-error.ts';

/**
 * A connected socket of the system as a {@link ByteSocket}. It must have been made with `allowHalfOpen`.
 * `undefined` when the other side is already gone, so that the socket has no addresses any more.
 */
export function tcpSocket(socket: Socket): ByteSocket | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (
    localAddress === undefined ||
    localPort === undefined ||
    remoteAddress === undefined ||
    remotePort === undefined
  ) {
    return undefined;
  }
  const local = endpoint(localAddress, localPort);
  const remote = endpoint(remoteAddress, remotePort);
  const doing = `TCP connection with ${formatEndpoint(remote)}`;
  const closedError = (): TraversalError => new TraversalError('ERR_CLOSED', `${doing}: closed on this side`);

  const incoming = new ByteQueue(() => {
    if (socket.isPaused() && !incoming.full) socket.resume();
  });
  let failure: TraversalError | undefined;
  let ending: Promise<void> | undefined;

  socket.setNoDelay(true);
  socket.on('data', (chunk: Uint8Array) => {
    incoming.push(chunk);
    if (incoming.full) socket.pause();
  });
  socket.on('end', () => incoming.end());
  socket.on('error', (error) => {
    failure = systemError(error, doing);
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      incoming.fail(failure ?? closedError());
      resolve();
    });
  });

  const destroy = (): void => {
    // What came in before a good end may still be read.
    if (socket.closed) return;
    socket.destroy();
    incoming.abandon(failure ?? closedError());
  };

  const read = (): Promise<Uint8Array | null> => incoming.read();

  return {
    local,
    remote,
    closed,
    destroy,
    get queued() {
      return socket.writableLength;
    },
    read,
    bytes$: pushedBytes({ read, destroy }),
    write(bytes) {
      if (socket.destroyed || ending !== undefined) return Promise.reject(failure ?? closedError());
      return new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(failure ?? systemError(error, doing)) : resolve()));
      });
    },
    end() {
      // Node never calls back when the socket was destroyed before.
      ending ??= Promise.race([new Promise<void>((resolve) => socket.end(() => resolve())), closed]);
      return ending;
    },
  };
}
