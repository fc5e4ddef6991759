import type { ErrorCode } from '../core/errors.ts';
import type { PathInfo } from '../core/path.ts';

/** A path and how much it is wanted among those of its kind: higher first. */
export interface RatedPath {
  readonly info: PathInfo;
  readonly preference: number;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * How this peer's port mapping stands; facts for the peer's chart and for those of its connections. `mapping.started`:
 * the gateway is being asked, for the first time, after a mapping was lost, or once more where there was none.
 */
export type MappingEvent = { type: 'mapping.started' } | { type: 'mapping.obtained' } | { type: 'mapping.unavailable' };

/** Facts that the connection chart decides by. Packets are never among them. */
export type ConnectionEvent =
  | { type: 'connection.started' }
  /** Every local candidate that can be had for now is known and told. */
  | { type: 'candidates.gathered' }
  | MappingEvent
  /** The other side's candidates and credentials are known: checks can begin. */
  | { type: 'remote.known' }
  | ({ type: 'offer.rejected' } & Failure)
  | ({ type: 'signaling.failed' } & Failure)
  /** The rendezvous says that the other side, which was there, has ended. */
  | { type: 'peer.gone' }
  | { type: 'peer.returned' }
  /** It has had the time to come back. */
  | { type: 'peer.missed' }
  /** It has failed, and may be tried again. */
  | { type: 'fallback.rested' }
  | { type: 'path.validated'; path: RatedPath }
  | { type: 'path.lost'; id: string; reason: string }
  | { type: 'path.suspect'; id: string }
  | { type: 'path.alive'; id: string }
  /** Credentials and candidates are new: punching begins from the beginning. */
  | { type: 'round.began' }
  | { type: 'session.established' }
  /** An established session is over; one that was never established has `failed`. */
  | { type: 'session.ended'; by: 'local' | 'remote'; code: number; reason: string }
  | ({ type: 'session.failed' } & Failure)
  | ({ type: 'close.requested' } & Partial<Failure>)
  /** XState's own words for a spawned actor that has ended: a path that it made has been told by then. */
  | { type: `xstate.done.actor.${'punch' | 'fallback'}`; output: unknown }
  /** The same for one that threw. */
  | { type: `xstate.error.actor.${'signal' | 'session' | 'punch' | 'fallback'}`; error: unknown };
