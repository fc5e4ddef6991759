import type { ErrorCode } from '../../core/errors.ts';
import type { PathInfo } from '../../core/path.ts';

/** The two sides of a pair: one dials, the other was started first and listens. */
export type Side = 'dialer' | 'listener';

export const SIDES: readonly Side[] = ['dialer', 'listener'];

/**
 * What can be seen of one side's connection from outside. `none`: it knows of none. `relayed`, `direct`: connected, on a path of that
 * kind. `gone`: its program has ended.
 */
export type Sight = 'none' | 'traversing' | 'relayed' | 'direct' | 'recovering' | 'closed' | 'failed' | 'gone';

/** What is seen of both sides at one moment. */
export interface Observation {
  /** ms by the driver's clock, since the world was started. */
  readonly at: number;
  readonly dialer: SideObservation;
  readonly listener: SideObservation;
  /** ms for which the dialer has waited for the listener's answer on the stream on which the two talk; 0 while it does not. */
  readonly waiting?: number;
  /** Why that stream has ended; absent while it is whole. */
  readonly broken?: string;
}

export interface SideObservation {
  readonly sight: Sight;
  /** ms by the driver's clock since which `sight` has been what it is. */
  readonly since: number;
  /** Since which the path that is sent on has been suspect: silent, or not believed; absent while it is not. */
  readonly suspectSince?: number;
  /** What the connection has failed with. */
  readonly code?: ErrorCode;
  /** The path that is sent on. */
  readonly path?: Omit<PathInfo, 'id'>;
  /** Connections that this side has established, those that have ended included. */
  readonly established: number;
  /** The most strategies that won in one run of a composed machine; absent where the driver cannot see it. */
  readonly winners?: number;
  /** Datagrams and bytes of TCP connections count as one each time that they are handed to the network; absent where nobody counts. */
  readonly sent?: number;
}
