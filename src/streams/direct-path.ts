import { Subject } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { DatagramSocket } from '../core/network.ts';
import type { Path } from '../core/path.ts';

/** A validated address pair of a shared UDP socket as a path. Closing it leaves the socket to its owner. */
export interface DirectPath extends Path {
  readonly remote: Endpoint;
  /** A packet of the session came in from `remote`. */
  receive(packet: Uint8Array): void;
}

export interface DirectPathOptions {
  readonly id: string;
  readonly socket: DatagramSocket;
  /** The local address as people should read it: the reflexive one where there is a NAT. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Name of the strategy that made it. */
  readonly strategy: string;
  /** ms. */
  readonly rtt: number;
}

export function createDirectPath({ id, socket, local, remote, strategy, rtt }: DirectPathOptions): DirectPath {
  const datagrams = new Subject<Uint8Array>();
  return {
    info: {
      id,
      kind: 'direct',
      transport: 'udp',
      local: formatEndpoint(local),
      remote: formatEndpoint(remote),
      strategy,
      rtt,
    },
    remote,
    send: (packet) => socket.send(packet, remote),
    datagrams$: datagrams,
    receive: (packet) => datagrams.next(packet),
    close: () => datagrams.complete(),
  };
}
