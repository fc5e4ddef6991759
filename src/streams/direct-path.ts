import { Subject } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Path, PathInfo } from '../core/path.ts';

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
  return new ValidatedPath(options);
}

class ValidatedPath implements DirectPath {
  readonly info: PathInfo;
  readonly remote: Endpoint;
  readonly send: (packet: Uint8Array) => boolean;
  readonly datagrams$ = new Subject<Uint8Array>();

  constructor({ id, transport, send, local, remote, strategy, rtt }: DirectPathOptions) {
    this.info = {
      id,
      kind: 'direct',
      transport,
      local: formatEndpoint(local),
      remote: formatEndpoint(remote),
      strategy,
      ...(rtt !== undefined && { rtt }),
    };
    this.remote = remote;
    this.send = send;
  }

  receive(packet: Uint8Array): void {
    this.datagrams$.next(packet);
  }

  close(): void {
    this.datagrams$.complete();
  }
}
