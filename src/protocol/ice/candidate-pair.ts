import type { Candidate, CandidateTransport, RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import type { IceRole, PairSnapshot } from './contract.ts';

/** RFC 8445 section 6.1.2.6. */
export type PairState = 'frozen' | 'waiting' | 'in-progress' | 'succeeded' | 'failed';

/** Why a pair stands in `failed`. */
export type PairFailure =
  /** No response (RFC 8445 section 7.2.5.2.3). */
  | 'timeout'
  /** Only responses that failed authentication (RFC 8489 section 9.1.4). */
  | 'integrity-violated'
  /** Answered by an authenticated error (RFC 8445 section 7.2.5.2.4). */
  | 'refused'
  /** The TCP connection could not be opened, or has ended. */
  | 'disconnected'
  /** Packets for unproven addresses are used up. */
  | 'out-of-packets'
  /** Was valid, then silent. */
  | 'lost'
  /** Another pair was nominated (RFC 8445 section 8.1.2). */
  | 'superseded';

/** One socket towards one remote candidate. Mutable: it belongs to the checklist and the agent alone. */
export interface CandidatePair {
  readonly id: string;
  local: Candidate;
  remote: RemoteCandidate;
  state: PairState;
  /** A check of it has been started. */
  checked: boolean;
  nominated: boolean;
  /** The controlling side nominated the pair before our own check succeeded (RFC 8445 section 7.3.1.5). */
  nominateOnSuccess: boolean;
  /** Requests sent since the address last answered. */
  unproven: number;
  requestsSent: number;
  responsesReceived: number;
  requestsReceived: number;
  /** The local candidate as the other side saw it. */
  seen?: Candidate;
  rtt?: number;
  failure?: PairFailure;
}

/** What a message leaves from or comes in on: the socket of a candidate, by its base. */
export type LocalSocket = CandidateTransport & { readonly base: Endpoint };

/**
 * Names the socket behind a base. Sockets are bound to all addresses of a family, so every base of the same family and
 * port is one socket, whatever its address; so are all active TCP candidates of a family, whose connections choose
 * address and port anew.
 */
export function socketKey({ base, transport, tcpType }: LocalSocket): string {
  return tcpType === 'active' ? `tcp${base.family}` : `${transport}${base.family}:${base.port}`;
}

export function pairId(local: LocalSocket, remote: Endpoint): string {
  return `${socketKey(local)}>${formatEndpoint(remote)}`;
}

/** 2^32 MIN(G,D) + 2 MAX(G,D) + (G > D ? 1 : 0), beyond what a double holds (RFC 8445 section 6.1.2.3). */
export function pairPriority(local: number, remote: number, role: IceRole): bigint {
  const [controlling, controlled] = role === 'controlling' ? [local, remote] : [remote, local];
  const least = BigInt(Math.min(controlling, controlled));
  const most = BigInt(Math.max(controlling, controlled));
  return 2n ** 32n * least + 2n * most + (controlling > controlled ? 1n : 0n);
}

/** Pairs of one foundation are likely to work or fail together (RFC 8445 section 6.1.2.6). */
export function pairFoundation({ local, remote }: Pick<CandidatePair, 'local' | 'remote'>): string {
  return `${local.foundation}:${remote.foundation}`;
}

/** Plain data: a copy that outlives the pair's next change. */
export function snapshotPair(pair: CandidatePair): PairSnapshot {
  const { id, state, remote, nominated, rtt, failure, requestsSent, responsesReceived, requestsReceived } = pair;
  const local = pair.seen ?? pair.local;
  return {
    id,
    state,
    local,
    remote,
    nominated,
    ...(rtt !== undefined && { rtt }),
    ...(failure !== undefined && { failure }),
    requestsSent,
    responsesReceived,
    requestsReceived,
  };
}
