import type { Observable } from 'rxjs';
import type { ByteSocket, Network, TcpConnectOptions } from '../core/network.ts';
import { opened } from './opened.ts';

/**
 * A TCP connection: subscribing connects and emits the socket, unsubscribing destroys it, or ends the attempt.
 * Completes when the connection has ended in both directions.
 * Errors: `ERR_CONNECTION_REFUSED`, `ERR_RESOLVE`, `ERR_TIMEOUT`, `ERR_NETWORK`.
 */
export function tcpClient(network: Network, options: Omit<TcpConnectOptions, 'signal'>): Observable<ByteSocket> {
  return opened(
    (signal) => network.connect({ ...options, signal }),
    (socket) => socket.destroy(),
    (socket) => socket.closed,
  );
}
