import type { Observable } from 'rxjs';
import type { Candidate, CandidateType, RemoteCandidate } from './candidate.ts';
import type { Clock } from './clock.ts';
import type { Endpoint } from './endpoint.ts';
import type { ErrorCode } from './errors.ts';
import type { Log } from './log.ts';
import type { NatBehavior } from './nat-behavior.ts';
import type { ByteSocket, DatagramSocket, Network } from './network.ts';
import type { Path } from './path.ts';
import type { Policy } from './policy.ts';
import type { Mapping, MappingRequest, MappingVia } from './port-mapper.ts';
import type { Random } from './random.ts';
import type { Relay, RelayedSocket } from './relay.ts';

/** What a strategy is to give: addresses of this peer, a port mapping, a direct path, or a relayed one. */
export type Product = 'candidates' | 'mapping' | 'direct' | 'relayed';

/** What a strategy may cost at most. Its run is held to it, and `flow.lint()` adds it up. */
export interface Bounds {
  /** ms. */
  readonly time: number;
  /** Packets that it sends by itself; checks of the connection's ICE agent have bounds of their own and do not count. */
  readonly packets: number;
  /** Sockets that it has open at the same time, TCP connections included. */
  readonly sockets: number;
}

/** What is known when a strategy is chosen and when it starts: plain data. */
export interface Facts {
  /** `listener`, too, where a peer looks at its own network or has a port of its own mapped. */
  readonly role: 'dialer' | 'listener';
  readonly policy: Policy;
  readonly local: readonly Candidate[];
  readonly remote: readonly RemoteCandidate[];
  readonly behaviors: { readonly mine: NatBehavior; readonly theirs: NatBehavior };
}

/** What a strategy is given. `env` is the only live thing in it, and writes itself as its name in JSON. */
export interface StrategyInput<P extends Product = Product> extends Facts {
  readonly env: StrategyEnvironments[P];
}

/** How a strategy ended. What it throws is read as a failure, with the error's code. */
export type StrategyResult<P extends Product = Product> = Success<P> | Failed;

export interface Failed {
  readonly ok: false;
  /** A sentence for people. */
  readonly reason: string;
  readonly code?: ErrorCode;
}

export type Success<P extends Product = Product> = { readonly ok: true } & Successes[P];

interface Successes {
  readonly candidates: unknown;
  readonly mapping: { readonly mapping: Mapping };
  /** Id of a path that stands in the connection's table. */
  readonly direct: { readonly path: string };
  readonly relayed: { readonly path: string };
}

export interface StrategyEnvironments {
  readonly candidates: CandidateEnvironment;
  readonly mapping: MappingEnvironment;
  readonly direct: PathEnvironment;
  readonly relayed: PathEnvironment;
}

/** What every strategy has of the world. */
export interface BaseEnvironment {
  /**
   * Sockets opened here belong to the strategy: what is open when it ends and was not handed to the connection is closed, and noted in
   * its attempt. Datagrams count towards its bounds; beyond them `send` is false.
   */
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: readonly string[];
  /** Aborted as soon as the strategy is not wanted any more: it lost a race, its time is over, the connection ended. */
  readonly signal: AbortSignal;
}

/** For strategies that find addresses of this peer; run once a look at the network, for all connections. */
export interface CandidateEnvironment extends BaseEnvironment {
  /** Tells the addresses of the interfaces: host candidates of the peer's sockets, UDP and TCP. */
  interfaces(): void;
  /**
   * Asks the STUN servers what they see of the peer's sockets, and what their NAT does (RFC 8489, RFC 5780); tells each address as it
   * is seen. Errors: `ERR_NOT_AVAILABLE` when there is no server that could be asked, `ERR_STUN_TIMEOUT`, `ERR_ABORTED`.
   */
  reflexive(): Promise<void>;
  /**
   * Tells an address outside of which the strategy knows that it leads to the peer's UDP socket of that family. Port 0: to each of its
   * sockets, UDP and TCP, by the port that the socket has here. What nobody could send to is not told.
   */
  announce(address: Endpoint, type: Extract<CandidateType, 'srflx' | 'mapped'>): void;
}

/** For strategies that ask a gateway for the mapping of one port. */
export interface MappingEnvironment extends BaseEnvironment {
  /** What is to be mapped. */
  readonly request: MappingRequest;
  /**
   * The environment's port mapper of that name, which is asked for the request; `undefined` where there is none. What it grants is
   * kept, renewed and released by it if the strategy gives it and wins, and released where not. Errors: those of `PortMapper.map`.
   */
  mapper(via: MappingVia): { map(): Promise<Mapping> } | undefined;
}

/** For strategies that make a path for one connection. */
export interface PathEnvironment extends BaseEnvironment {
  /** What is known by now; the input has what was known when the strategy started. */
  readonly facts: Facts;
  /** Fulfils when both sides have proven their keys, be it over a relay. Rejects with `ERR_ABORTED`. */
  readonly authenticated: Promise<void>;
  /**
   * ICE's connectivity checks on the peer's own sockets (RFC 8445): the id of the first valid path. The agent is the connection's: it goes
   * on answering, and keeping its paths, when the strategy has ended. Errors: `ERR_PUNCH_EXHAUSTED`, `ERR_ABORTED`, `ERR_USAGE`.
   */
  checks(options?: CheckOptions): Promise<string>;
  /**
   * Agrees with the same strategy on the other side that both start now. The dialer's call proposes; the listener's answers a proposal.
   * `params`: JSON of at most 1,000 bytes. Errors: `ERR_DECLINED` with the other side's reason, `ERR_TIMEOUT`, `ERR_ABORTED`.
   */
  agree(params?: Json): Promise<Agreement>;
  /**
   * Whether a packet or a call of the strategy's own may go to an address that is known by the other side's word alone; if so it counts,
   * as a check does, towards what all connections of the peer may aim at such addresses together. It ends to count with a proof.
   */
  mayAim(at: Endpoint): boolean;
  /** Sends checks that prove the connection's secret, and hears those of the other side; on the strategy's own socket, or the peer's. */
  prober(socket?: DatagramSocket): Prober;
  /**
   * Checks that it is the other side that answers at `remote`, by ICE with the connection's secret: then the path's id, and socket or
   * stream are the connection's, which keeps them open and asks for consent (RFC 7675). Errors: `ERR_PUNCH_EXHAUSTED`, `ERR_ABORTED`.
   */
  validate(link: UnprovenLink): Promise<string>;
  /**
   * Takes a path of the strategy's own making into the connection's table, which closes it from then on. Gives its id. `sockets`: what it
   * goes by is the connection's from then on, and closed with it.
   */
  adopt(path: Path, sockets?: readonly (DatagramSocket | ByteSocket)[]): string;
  /** Relayed paths over the servers that both sides meet at: the id of the first. Errors: `ERR_NOT_AVAILABLE`, `ERR_ABORTED`. */
  relay(): Promise<string>;
  /** The environment's relays, such as TURN servers. */
  readonly relays: readonly Relay[];
  /**
   * Tells the other side of the address at a relay, and checks pairs with it: the id of the first valid path. The socket is the
   * connection's from then on. Errors: `ERR_PUNCH_EXHAUSTED`, `ERR_NOT_AVAILABLE` where relays are forbidden, `ERR_ABORTED`.
   */
  relayed(socket: RelayedSocket): Promise<string>;
}

export interface CheckOptions {
  /**
   * Only pairs of candidates of these types on both sides take part, until another call widens it; all by default. Those at relays have
   * checks of their own.
   */
  readonly types?: readonly Exclude<CandidateType, 'relay'>[];
  readonly transports?: readonly ('udp' | 'tcp')[];
}

export type UnprovenLink =
  /** Without a socket: on the peer's own, by the connection's agent. */
  | { readonly socket?: DatagramSocket; readonly remote: Endpoint }
  /** A TCP connection between the two, by whomever it was opened. */
  | { readonly stream: ByteSocket };

export interface Prober {
  /** Sends one authenticated check; false when it was dropped, or the bounds are reached. */
  send(to: Endpoint): boolean;
  /** Where authenticated checks, and answers to ours, came from. Completes with the socket or the strategy. */
  readonly heard$: Observable<Endpoint>;
}

export interface Agreement {
  /** What the other side's call of `agree` gave. From outside: to be read with care. */
  readonly params: Json;
  /** Whether it was said inside the session, hence by the holder of the other key; else by whoever holds the ticket. */
  readonly vouched: boolean;
  /** Half the round trip of the messages that it took, in ms: how well both sides' starts agree. */
  readonly crossing: number;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
