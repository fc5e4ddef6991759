import type { Endpoint } from './endpoint.ts';

/** One received datagram. `data` belongs to the receiver until its callback returns; copy what must last. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly from: Endpoint;
}
