import type { Endpoint } from '../../core/endpoint.ts';

/**
 * Something that the network lost or refused, and that ends nothing: a datagram, or a connection nobody could accept.
 */
export interface Drop {
  readonly local: Endpoint;
  /** The other end, where it is known. */
  readonly remote?: Endpoint | undefined;
  /** The system's code, such as `EPERM` or `EMSGSIZE`, or a few words. */
  readonly reason: string;
}

export type ReportDrop = (drop: Drop) => void;
