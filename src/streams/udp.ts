import { identity, type Observable } from 'rxjs';
import type { DatagramSocket, Network, UdpOptions } from '../core/network.ts';
import { type MappedPortOptions, mapPort } from './mapped-port.ts';
import { opened } from './opened.ts';

export interface UdpSocketOptions extends UdpOptions {
  /** Maps the port at the gateway while the socket is subscribed, so that hosts outside can send to it. */
  readonly mapping?: MappedPortOptions;
}

/**
 * A UDP socket: subscribing binds it and emits it, unsubscribing closes it.
 * Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`, and `ERR_USAGE` for a mapping out of range.
 *
 * ```ts
 * const echo$ = udpSocket(network, { family: 4, port: 7 }).pipe(
 *   switchMap((socket) => socket.datagrams$.pipe(tap(({ data, from }) => socket.send(data, from)))),
 * );
 * ```
 */
export function udpSocket(network: Network, { mapping, ...options }: UdpSocketOptions): Observable<DatagramSocket> {
  return opened(
    () => network.udp(options),
    (socket) => socket.close(),
  ).pipe(mapping === undefined ? identity : mapPort('udp', mapping));
}
