import type { Candidate, RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { socketKey } from './candidate-pair.ts';

/** The priority that a local candidate would have if it were peer-reflexive (RFC 8445 section 7.1.1). */
export function peerReflexivePriority({ priority }: Pick<Candidate, 'priority'>): number {
  return 110 * 2 ** 24 + (priority % 2 ** 24);
}

/** Our own candidate at an address that only the other side could see (RFC 8445 section 7.2.5.3.1). */
export function localPeerReflexive(local: Candidate, mapped: Endpoint): Candidate {
  return {
    type: 'prflx',
    endpoint: mapped,
    base: local.base,
    priority: peerReflexivePriority(local),
    foundation: formatEndpoint(mapped),
  };
}

/** The other side's candidate at the source of its check; the priority is what the check said (RFC 8445 section 7.3.1.3). */
export function remotePeerReflexive(from: Endpoint, priority: number): RemoteCandidate {
  return { type: 'prflx', endpoint: from, priority, foundation: formatEndpoint(from) };
}

/** The candidate of this socket at an address that a response told; responses tell no IPv6 zone (RFC 4007). */
export function candidateAt(mapped: Endpoint, base: Endpoint, candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.find(
    (candidate) => socketKey(candidate.base) === socketKey(base) && unscoped(candidate.endpoint) === unscoped(mapped),
  );
}

function unscoped({ address, port }: Endpoint): string {
  return `${address.replace(/%.*/, '')} ${port}`;
}
