import type { Observable } from 'rxjs';
import type { ErrorCode } from './errors.ts';
import type { Mapping, MappingRequest } from './port-mapper.ts';

/** What came of asking in one way. */
export interface MappingAttempt {
  /** Name of the strategy; of those that ask by one protocol, that of the port mapper. */
  readonly via: string;
  /** A sentence: what was mapped where, or why nothing was. */
  readonly reason: string;
  /** Absent when it succeeded, or was not needed any more. */
  readonly code?: ErrorCode;
  /** `clock.now()` in ms. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What a lease is about. `attempts` are those of the last race, in the order they ended. */
export type PortLeaseState =
  | { readonly state: 'mapping' }
  | { readonly state: 'mapped'; readonly mapping: Mapping; readonly attempts: readonly MappingAttempt[] }
  /** Tried again later, and sooner when the network changes. */
  | { readonly state: 'unavailable'; readonly attempts: readonly MappingAttempt[] }
  | { readonly state: 'released' };

/** A mapping that is kept: renewed at half its life, made again when its gateway forgot it, released on close. */
export interface PortLease {
  readonly request: MappingRequest;
  readonly current: PortLeaseState;
  /** The current state first, then each change; completes once released. Never errors. */
  readonly state$: Observable<PortLeaseState>;
  /**
   * The first mapping. Rejects with the error that says most when the first race ends without one, and with `ERR_CLOSED` when the
   * lease is closed before; never an unhandled rejection.
   */
  readonly ready: Promise<Mapping>;
  /** Releases the mapping. Fulfils when the gateway has confirmed it, or after a bounded time. */
  close(): Promise<void>;
}

/** Leases of this host's ports at its gateway, whichever protocol that speaks. */
export interface PortLeases {
  /** Begins at once, in the background. Errors: `ERR_CLOSED`, `ERR_USAGE` for a request out of range or a port that is kept already. */
  keep(request: MappingRequest): PortLease;
  /** The host has other addresses or another gateway, or may have: leases that have no mapping try again, the others are renewed. */
  networkChanged(): void;
  /** Releases every lease and closes the port mappers. */
  close(): Promise<void>;
}
