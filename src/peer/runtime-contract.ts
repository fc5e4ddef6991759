import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import type { Environment } from '../core/environment.ts';
import type { NatBehavior } from '../core/nat-behavior.ts';
import type { Policy } from '../core/policy.ts';
import type { Session, SessionFactory } from '../core/session.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import type { ConnectionEvent } from '../machines/connection-events.ts';
import type { CheckBudget, PairSnapshot } from '../protocol/ice/index.ts';
import type { OfferMessage } from '../protocol/rendezvous/index.ts';
import type { ProbeBudget } from '../protocol/spray/index.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { PathTable } from '../streams/path-table.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import type { Carriers } from './carriers.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { DeskHost } from './desk-host.ts';
import type { Discovery } from './discovery.ts';
import type { Introduction } from './introduction.ts';
import type { MappedPort, MappedPorts } from './mapped-ports.ts';
import type { Scoring } from './scoring.ts';
import type { StrategySlots } from './strategy-slots.ts';

export interface RuntimeOptions {
  readonly env: Environment;
  readonly role: 'dialer' | 'listener';
  readonly introduction: Introduction;
  /** 16 bytes. */
  readonly session: Uint8Array;
  readonly carriers: Carriers;
  readonly servers: readonly Signaling[];
  readonly routers: readonly PacketRouter[];
  readonly lobby?: TcpLobby;
  /** What this connection may send of what all connections of the peer may. */
  readonly budget: CheckBudget;
  /** The same of probes. */
  readonly probes: ProbeBudget;
  /** What those of a listener may start when the other side proposes it. */
  readonly desk: DeskHost;
  /** What comes of strategies is noted there, where the user wants it. */
  readonly scoring: Scoring | undefined;
  readonly discovery: Discovery;
  readonly ports: MappedPorts;
  readonly sessions: SessionFactory;
  readonly ownKey: Uint8Array;
  readonly policy: Policy;
  /** Listener: the offer that was let in, and the hash of its envelope. */
  readonly offer?: { readonly message: OfferMessage; readonly hash: Uint8Array };
  /** Asks for a fresh look at the network. */
  readonly refresh: () => void;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: () => readonly string[];
  /** Whether the flow chooses by facts that change on the way. */
  readonly asksEvidence: boolean;
}

export type Send = (event: ConnectionEvent) => void;
export type Stop = () => void;

/** Which part of the flow an actor of the chart runs. */
export type Slot = 'punch' | 'fallback';

/**
 * What stands behind the actors of one connection chart: each of the first methods is an actor's logic and gives its
 * clean-up.
 */
export interface ConnectionRuntime {
  signal(send: Send): Stop;
  session(): Stop;
  gather(send: Send): Stop;
  map(send: Send): Stop;
  watch(send: Send): Stop;
  hedge(): Stop;
  /** `onRoundEnded` takes what is to be called whenever a round of punching has ended. */
  recover(onRoundEnded: (callback: () => void) => void): Stop;
  /** The chart chose this path. */
  use(pathId: string | undefined): void;
  /** Another round of punching with fresh credentials, if the last one is over. */
  punchAgain(): void;
  readonly slots: StrategySlots;
  /** What strategies stand on. */
  readonly services: ConnectionServices;
  /** A carrier's event that names this session. */
  handle(carrier: Signaling, event: SignalingEvent): void;
  /** Fulfils with the session once it has been made; it may not be established yet. */
  readonly secured: Promise<Session>;
  readonly table: PathTable;
  evidence(): Evidence;
}

/** What a verdict is made of. */
export interface Evidence {
  readonly local: readonly Candidate[];
  readonly remote: readonly RemoteCandidate[];
  readonly behaviors: { readonly mine: NatBehavior; readonly theirs: NatBehavior };
  readonly pairs: readonly PairSnapshot[];
  /** None where no gateway was to be asked. */
  readonly ports: readonly MappedPort[];
}
