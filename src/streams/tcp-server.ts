import { defer, finalize, identity, type Observable, switchMap, tap } from 'rxjs';
import type { Endpoint } from '../core/endpoint.ts';
import type { ByteSocket, Network, TcpListenOptions } from '../core/network.ts';
import { type MappedPortOptions, mapPort } from './mapped-port.ts';
import { opened } from './opened.ts';

export interface TcpServerOptions extends TcpListenOptions {
  /** Called with the bound address once connections can come in. */
  readonly onListening?: (local: Endpoint) => void;
  /** Maps the port at the gateway while the server is subscribed, so that hosts outside can connect. */
  readonly mapping?: MappedPortOptions;
}

/**
 * A TCP server: subscribing listens, each accepted connection is a value, unsubscribing stops listening and destroys
 * the connections that still stand. Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`, and `ERR_USAGE` for a mapping out
 * of range.
 *
 * ```ts
 * const server = tcpServer(network, { port: 7 }).pipe(eachConnection(echo, reportError)).subscribe();
 * ```
 */
export function tcpServer(
  network: Network,
  { onListening, mapping, ...options }: TcpServerOptions,
): Observable<ByteSocket> {
  return defer(() => {
    const standing = new Set<ByteSocket>();
    return opened(
      () => network.listen(options),
      (listener) => void listener.close(),
    ).pipe(
      tap(({ local }) => onListening?.(local)),
      mapping === undefined ? identity : mapPort('tcp', mapping),
      switchMap(({ connections$ }) => connections$),
      tap((socket) => {
        standing.add(socket);
        void socket.closed.then(() => standing.delete(socket));
      }),
      finalize(() => {
        for (const socket of standing) socket.destroy();
      }),
    );
  });
}
