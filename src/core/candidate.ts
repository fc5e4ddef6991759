import { type Endpoint, formatEndpoint } from './endpoint.ts';

/** RFC 8445 section 5.1.1; `mapped` is a reflexive address made by an explicit port mapping. */
export type CandidateType = 'host' | 'srflx' | 'prflx' | 'mapped' | 'relay';

/** A transport address at which a peer may be reached (RFC 8445 section 4). */
export interface Candidate {
  readonly type: CandidateType;
  /** The address to send to. */
  readonly endpoint: Endpoint;
  /** The local address that the candidate was obtained from; on a host candidate the same as `endpoint`. */
  readonly base: Endpoint;
  /** 1..2^31-1 (RFC 8445 section 5.1.2). */
  readonly priority: number;
  /** Equal for candidates of the same type, base address and server (RFC 8445 section 5.1.1.3). */
  readonly foundation: string;
}

/** What the other side needs to know of a candidate: bases stay at home. */
export type RemoteCandidate = Omit<Candidate, 'base'>;

const TYPE_PREFERENCE: Record<CandidateType, number> = { host: 126, prflx: 110, mapped: 105, srflx: 100, relay: 0 };

/** `localPreference` 0..65535, the higher the better; component is always 1 (RFC 8445 section 5.1.2.1). */
export function candidatePriority(type: CandidateType, localPreference: number): number {
  return 2 ** 24 * TYPE_PREFERENCE[type] + 2 ** 8 * localPreference + 255;
}

/** The key under which a candidate counts as the same: family, address and port. */
export function candidateKey(candidate: Pick<Candidate, 'endpoint'>): string {
  return formatEndpoint(candidate.endpoint);
}
