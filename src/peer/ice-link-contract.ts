import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Network } from '../core/network.ts';
import type { Random } from '../core/random.ts';
import type { CheckOptions } from '../core/strategy.ts';
import type { CheckBudget, IceSnapshot } from '../protocol/ice/index.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import type { CheckAgentOptions } from './check-agent.ts';

export interface IceLinkOptions {
  readonly dialer: boolean;
  /**
   * What is said between the two is carried by people. The dialer's checks go on slowly until the listener's come, and
   * since nothing new can be said, a restart keeps credentials and the other side's candidates.
   */
  readonly byHand: boolean;
  /** Credentials of a generation: both sides derive the same from the shared secret. */
  readonly credentials: (generation: number) => CheckAgentOptions['credentials'];
  readonly routers: readonly PacketRouter[];
  readonly network: Pick<Network, 'connect'>;
  /** Where TCP connections to us come in; absent, we only open some. */
  readonly lobby: TcpLobby | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly loopback: boolean;
  /** What this connection may send of what all connections of the peer may. */
  readonly budget: CheckBudget;
  readonly on: IceLinkEvents;
}

export interface IceLinkEvents {
  validated(path: DirectPath, preference: number): void;
  lost(pathId: string, reason: string): void;
  confirmed(pathId: string): void;
  /** Checks of the path have gone unanswered. */
  doubtful(pathId: string): void;
  /** A packet of the session came in over TCP before its path was validated; valid during the call only. */
  early(packet: Uint8Array): void;
}

/**
 * The ICE agents of a connection on the peer's shared sockets, one a generation of credentials (RFC 8445 section 9).
 */
export interface IceLink {
  readonly generation: number;
  /**
   * The checks of this generation have had their chance: a valid pair was lost again, every check failed, or the other
   * side said nothing.
   */
  readonly isSpent: boolean;
  /** What the other side has told in this generation. */
  readonly remotes: readonly RemoteCandidate[];
  addLocal(candidates: readonly Candidate[]): void;
  addRemote(candidates: readonly RemoteCandidate[]): void;
  end(side: 'local' | 'remote'): void;
  /**
   * Checks pairs of candidates of these kinds, beside those that were asked for before in this generation; until the first call
   * candidates are only collected. The id of the first valid path. The agent goes on when it has one, and answers when it has none; a
   * call after that begins its checks anew. Errors: `ERR_PUNCH_EXHAUSTED`, `ERR_ABORTED` when the generation is over.
   */
  findPath(options?: CheckOptions): Promise<string>;
  /**
   * Checks this address of the other side, too, which a strategy has found: the id of the path to it, which has the strategy's name. For as
   * long as checks go on, another may be found before. Errors: `ERR_ABORTED` when the generation is over.
   */
  provePath(remote: Endpoint, strategy: string): Promise<string>;
  /**
   * Answers checks, even before any are sent, and tells of those that come from an address that was not known. Gives what ends the telling.
   */
  hearChecks(heard: (from: Endpoint) => void): () => void;
  /**
   * New credentials on the same sockets. Paths of the generation before are asked for consent at once; those that
   * answer stay until the session was heard on a path of this one. A generation on which it never was gives way to the
   * next instead, for whoever holds the ticket can have made it.
   */
  restart(generation: number): void;
  /** The session's first authentic packet has come in on this path. */
  hear(pathId: string): void;
  /** Asks for consent on every path at once: those that died together are found out together. */
  check(): void;
  /** The path that carries data; the dialer nominates its pair once it has carried data for a while without doubt. */
  use(pathId: string | undefined): void;
  /** What this generation tried and saw; stays readable after `stop`. */
  snapshot(): IceSnapshot | undefined;
  stop(): void;
}
