import type { InspectionEvent } from 'xstate';
import type { PathInfo } from '../core/path.ts';
import type { Verdict } from '../core/verdict.ts';
import type { ConnectionState, PairSnapshot, Reachability, SeenSignal, SessionStats } from '../index.ts';
import type { PacketRecord } from '../sim/packet-log.ts';
import type { WorldEvent } from '../sim/plan.ts';
import type { NatChange } from './nat-watch.ts';
import type { Pong } from './outcome.ts';

/** Something that happened in a run, told while it does; `at` in ms of virtual time since the beginning. */
export type RunEvent = { readonly at: number } & (WorldNews | PeerNews | ConnectionNews);

/** Of the internet. */
export type WorldNews =
  /** What became of a packet; only its headers and sizes are meant to be kept. */
  | { readonly type: 'packet'; readonly record: PacketRecord }
  /** Something that the plan wanted to happen. */
  | { readonly type: 'world'; readonly event: WorldEvent }
  /** What has changed in the table of a NAT since it was told last. */
  | { readonly type: 'nat'; readonly change: NatChange };

/** Of the peer of that name. */
export type PeerNews = { readonly who: string } & (
  | { readonly type: 'started' }
  /** It has registered, and can be dialled. */
  | { readonly type: 'listening' }
  /** Its host has been restarted, and nobody starts it again. */
  | { readonly type: 'killed' }
  /** XState's own words about the charts of the peer, its connections and its leases. */
  | { readonly type: 'machine'; readonly inspection: InspectionEvent }
  /** Candidates, and what is known of the NAT. */
  | { readonly type: 'reachability'; readonly reachability: Reachability }
  /** What went over its signalling carriers. */
  | { readonly type: 'signal'; readonly signal: SeenSignal }
  | { readonly type: 'log'; readonly event: string; readonly fields?: Readonly<Record<string, unknown>> }
);

/** Of a connection of the peer of that name; `connection`: the hex text of the session id that both sides share. */
export type ConnectionNews = { readonly who: string; readonly connection: string } & (
  | { readonly type: 'dialed'; readonly to: string }
  | { readonly type: 'state'; readonly role: 'dialer' | 'listener'; readonly state: ConnectionState }
  | { readonly type: 'path'; readonly role: 'dialer' | 'listener'; readonly path?: PathInfo }
  | { readonly type: 'ready'; readonly role: 'dialer' | 'listener' }
  /** A round of punching is over, and every check has failed. */
  | { readonly type: 'exhausted'; readonly role: 'dialer' | 'listener' }
  /** The first message is back. */
  | { readonly type: 'echo' }
  /** The checklist, whenever it may have changed. */
  | { readonly type: 'pairs'; readonly pairs: readonly PairSnapshot[] }
  /** What the session has carried so far, once a second. */
  | { readonly type: 'stats'; readonly stats: SessionStats }
  /** Times in ms since the dial. */
  | { readonly type: 'pong'; readonly pong: Pong }
  | { readonly type: 'settled' }
  | { readonly type: 'verdict'; readonly role: 'dialer' | 'listener'; readonly verdict: Verdict }
);

/** Sees what happens in a run. It is called in the midst of things, and not waited for; what it throws ends the run. */
export type RunWatch = (event: RunEvent) => void;

/** Each of a union without some of its fields. */
export type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
