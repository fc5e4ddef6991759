import type { Observable } from 'rxjs';

export type PathKind = 'direct' | 'relayed';
export type PathTransport = 'udp' | 'tcp' | 'turn-udp' | 'turn-tcp' | 'turn-tls' | 'websocket' | 'nats';

/** The plain description of a path, as it stands in traces and events. */
export interface PathInfo {
  readonly id: string;
  readonly kind: PathKind;
  readonly transport: PathTransport;
  /** `ip:port`, or the server's URL for a relay. */
  readonly local: string;
  readonly remote: string;
  /** Name of the strategy that made the path. */
  readonly strategy: string;
  /** Round trip in ms, where it has been measured. */
  readonly rtt?: number;
}

/** A validated way to send datagrams to the peer. */
export interface Path {
  readonly info: PathInfo;
  /** False when the datagram was dropped at once; the drop is counted by whoever owns the path. */
  send(bytes: Uint8Array): boolean;
  /** Datagrams that came in on this path; completes when the path ends. */
  readonly datagrams$: Observable<Uint8Array>;
  close(): void;
}
