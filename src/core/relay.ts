import type { Endpoint, Family } from './endpoint.ts';
import type { DatagramSocket, Network } from './network.ts';
import type { PathTransport } from './path.ts';
import type { PortMapperEnvironment } from './port-mapper.ts';

/** A server that lends an address: datagrams to it come to us, and ours leave from it (TURN, RFC 8656). */
export interface Relay {
  /** For people and traces, without secrets: `turn:host:port?transport=udp`. */
  readonly name: string;
  readonly transport: Extract<PathTransport, `turn-${string}`>;
  /**
   * Asks for an address. `network` opens the socket towards the server. Errors: `ERR_RELAY_REFUSED` (credentials, quota),
   * `ERR_RELAY_UNREACHABLE`, `ERR_RESOLVE`, `ERR_ABORTED`.
   */
  allocate(options: {
    readonly network: Network;
    readonly family?: Family;
    readonly signal: AbortSignal;
  }): Promise<RelayedSocket>;
}

/** A socket at a relay: `local` is the relayed transport address. Whoever is sent to may answer. Closing it gives the address back. */
export interface RelayedSocket extends DatagramSocket {
  readonly relay: Pick<Relay, 'name' | 'transport'>;
  /** Our address as the relay sees it. */
  readonly mapped: Endpoint;
  /** Lets datagrams of this address in before anything was sent to it. */
  permit(peer: Endpoint): void;
}

/** What an adapter gives: a relay for whatever world. */
export type RelayFactory = (environment: PortMapperEnvironment) => Relay;
