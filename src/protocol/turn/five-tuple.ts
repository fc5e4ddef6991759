import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';

/** How a client speaks with its server: `tcp` is any byte stream, TLS over TCP included. */
export type TurnTransport = 'udp' | 'tcp';

/** What identifies a client to its server, as the server sees it (RFC 8656 section 3.2). */
export interface FiveTuple {
  readonly transport: TurnTransport;
  readonly client: Endpoint;
  /** The server's endpoint that the client speaks with. */
  readonly server: Endpoint;
}

/** One string a 5-tuple, for use as a key. */
export function fiveTupleKey({ transport, client, server }: FiveTuple): string {
  return `${transport} ${formatEndpoint(client)} ${formatEndpoint(server)}`;
}
