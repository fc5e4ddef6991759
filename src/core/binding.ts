import type { Endpoint } from './endpoint.ts';

/** What one STUN Binding exchange observed (RFC 8489 section 3). */
export interface Binding {
  readonly server: Endpoint;
  /** Local address of the socket that asked. */
  readonly local: Endpoint;
  /** XOR-MAPPED-ADDRESS of the answer. */
  readonly mapped: Endpoint;
  /** Round trip in ms, of the request that was answered. */
  readonly rtt: number;
  /** OTHER-ADDRESS of the answer (RFC 5780 section 7.4), where given. */
  readonly other?: Endpoint;
}
