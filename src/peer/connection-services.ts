import type { Environment } from '../core/environment.ts';
import type { Path } from '../core/path.ts';
import type { Facts } from '../core/strategy.ts';
import type { RaceAccounts } from '../flows/index.ts';
import type { CheckBudget, IceCredentials } from '../protocol/ice/index.ts';
import type { ProbeBudget } from '../protocol/spray/index.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { IceLink } from './ice-link-contract.ts';
import type { Negotiation } from './negotiation.ts';
import type { RelayedLink } from './relayed-link.ts';
import type { Send } from './runtime-contract.ts';
import type { Scoring } from './scoring.ts';
import type { SessionLink } from './session-link.ts';
import type { SignalLink } from './signal-link.ts';

/** One connection, as its runtime gives it to the parts that make paths for it. */
export interface ConnectionServices {
  /** Hex text of the session id that both sides share. */
  readonly id: string;
  readonly role: 'dialer' | 'listener';
  /** The peer's world: clock, chance, network, log. */
  readonly env: Environment;
  /** ms since the connection's start. */
  readonly elapsed: number;
  /** What was tried, for the verdict. */
  readonly attempts: AttemptLog;
  /** What strategies may still send. */
  readonly accounts: RaceAccounts;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: readonly string[];
  /** The peer's own sockets, which it shares with the other connections. */
  readonly routers: readonly PacketRouter[];
  readonly lobby: TcpLobby | undefined;
  /** What this connection may send in checks, of what all connections of the peer may. */
  readonly budget: CheckBudget;
  /** The same of probes. */
  readonly probes: ProbeBudget;
  /** What is known now; `policy` is what both sides allow. */
  readonly facts: Facts;
  /** ICE credentials of the generation that this side is at, known to both sides. */
  readonly credentials: { readonly mine: IceCredentials; readonly theirs: IceCredentials };
  /** The connection's own checks: generation, candidates, what it has validated. */
  readonly ice: IceLink;
  /** The session, and the table of its paths. */
  readonly link: SessionLink;
  /** Addresses at relays, of both sides, and the paths over them. */
  readonly relayed: RelayedLink;
  /** Sealed messages to the other side. */
  readonly signal: Pick<SignalLink, 'send' | 'roundTrip' | 'reached'>;
  /** With the other side, about two-sided strategies; made when it is first asked for. */
  readonly negotiation: Negotiation;
  /** Where what comes of strategies is noted. */
  readonly scoring: Scoring | undefined;
  /** Both sides have proven their keys. */
  readonly isAuthenticated: boolean;
  /** Fulfils when they have; rejects with `ERR_CLOSED` when the connection ends before. Never an unhandled rejection. */
  readonly authenticated: Promise<void>;
  /** Aborted when the connection has ended, with `ERR_CLOSED`. */
  readonly ended: AbortSignal;
  /** The first relayed path of the servers that both sides meet at. Errors: `ERR_NOT_AVAILABLE`. */
  relay(): Promise<string>;
  /**
   * Takes a path into the table and tells the chart; the table closes it. `preference`: among paths of its kind, the higher the better;
   * those of the ICE agent have the sum of two priorities, hence 2^25 at least.
   */
  addPath(path: Path, preference: number): void;
  /** Takes a path out, closes it and tells the chart; nothing happens where it is not in the table. */
  losePath(pathId: string, reason: string): void;
  /** Tells the chart. */
  readonly emit: Send;
}
