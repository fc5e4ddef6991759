import type { Observable } from 'rxjs';
import type { DatagramSocket, Network, UdpOptions } from '../core/network.ts';
import { opened } from './opened.ts';

/**
 * A UDP socket: subscribing binds it and emits it, unsubscribing closes it.
 * Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`.
 *
 * ```ts
 * const echo$ = udpSocket(network, { family: 4, port: 7 }).pipe(
 *   switchMap((socket) => socket.datagrams$.pipe(tap(({ data, from }) => socket.send(data, from)))),
 * );
 * ```
 */
export function udpSocket(network: Network, options: UdpOptions): Observable<DatagramSocket> {
  return opened(
    () => network.udp(options),
    (socket) => socket.close(),
  );
}
