import { Subject } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Path } from '../core/path.ts';

/** A validated candidate pair as a path. Closing it leaves socket or connection to its owner. */
export interface DirectPath extends Path {
  readonly remote: Endpoint;
  /** A packet of the session came in from `remote`. */
  receive(packet: Uint8Array): void;
}

export interface DirectPathOptions {
  readonly id: string;
  readonly transport: 'udp' | 'tcp';
  /** Sends to `remote`; false when the packet was dropped at once. */
  readonly send: (packet: Uint8Array) => boolean;
  /** The local address as people should read it: the reflexive one where there is a NAT. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Name of the strategy that made it. */
  readonly strategy: string;
  /** ms, where it was measured. */
  readonly rtt?: number;
}

export function createDirectPath(options: DirectPathOptions): DirectPath {
  const { id, transport, send, local, remote, strategy, rtt } = options;
  const datagrams = new Subject<Uint8Array>();
  return {
    info: {
      id,
      kind: 'direct',
      transport,
      local: formatEndpoint(local),
      remote: formatEndpoint(remote),
      strategy,
      ...(rtt !== undefined && { rtt }),
    },
    remote,
    send,
    datagrams$: datagrams,
    receive: (packet) => datagrams.next(packet),
    close: () => datagrams.complete(),
  };
}
