import { Subject } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Path, PathInfo, PathKind, PathTransport } from '../core/path.ts';

/** A validated candidate pair as a path. */
export interface DirectPath extends Path {
  readonly remote: Endpoint;
  /** A packet of the session came in from `remote`. */
  receive(packet: Uint8Array): void;
}

export interface DirectPathOptions {
  readonly id: string;
  /** Default `direct`; `relayed` where one of the candidates is an address at a relay. */
  readonly kind?: PathKind;
  readonly transport: Exclude<PathTransport, 'websocket' | 'nats'>;
  /** Sends to `remote`; false when the packet was dropped at once. */
  readonly send: (packet: Uint8Array) => boolean;
  /** The local address as people should read it: the reflexive one where there is a NAT. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Name of the strategy that made it. */
  readonly strategy: string;
  /** ms, where it was measured. */
  readonly rtt?: number;
  /** For socket or connection, where they end with the path; without it, closing the path leaves them to their owner. */
  readonly onClose?: () => void;
}

export function createDirectPath(options: DirectPathOptions): DirectPath {
  return new ValidatedPath(options);
}

class ValidatedPath implements DirectPath {
  readonly info: PathInfo;
  readonly remote: Endpoint;
  readonly send: (packet: Uint8Array) => boolean;
  readonly datagrams$ = new Subject<Uint8Array>();
  readonly #onClose: (() => void) | undefined;

  constructor({ id, kind = 'direct', transport, send, local, remote, strategy, rtt, onClose }: DirectPathOptions) {
    this.info = {
      id,
      kind,
      transport,
      local: formatEndpoint(local),
      remote: formatEndpoint(remote),
      strategy,
      ...(rtt !== undefined && { rtt }),
    };
    this.remote = remote;
    this.send = send;
    this.#onClose = onClose;
  }

  receive(packet: Uint8Array): void {
    this.datagrams$.next(packet);
  }

  close(): void {
    this.datagrams$.complete();
    this.#onClose?.();
  }
}
