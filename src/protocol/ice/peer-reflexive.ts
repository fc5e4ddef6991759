import {
  type Candidate,
  type CandidateTransport,
  candidateKey,
  peerReflexivePriority,
  type RemoteCandidate,
  transportOf,
} from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { withoutZone } from '../../core/ip-address.ts';
import { type LocalSocket, socketKey } from './candidate-pair.ts';

/** Our own candidate at an address that only the other side could see (RFC 8445 section 7.2.5.3.1). */
export function localPeerReflexive(local: Candidate, mapped: Endpoint): Candidate {
  const transport = transportOf(local);
  return {
    type: 'prflx',
    endpoint: mapped,
    base: local.base,
    priority: peerReflexivePriority(local),
    foundation: candidateKey({ endpoint: mapped, ...transport }),
    ...transport,
  };
}

/**
 * The other side's candidate at the source of its check; the priority is what the check said (RFC 8445 section
 * 7.3.1.3).
 */
export function remotePeerReflexive(from: Endpoint, priority: number, transport: CandidateTransport): RemoteCandidate {
  const foundation = candidateKey({ endpoint: from, ...transport });
  return { type: 'prflx', endpoint: from, priority, foundation, ...transport };
}

/**
 * The candidate of this socket at an address that a response told. Responses tell no IPv6 zone (RFC 4007), and the port
 * of an active TCP candidate is that of its connection.
 */
export function candidateAt(
  mapped: Endpoint,
  socket: LocalSocket,
  candidates: readonly Candidate[],
): Candidate | undefined {
  const found = candidates.find(
    (candidate) =>
      socketKey(candidate) === socketKey(socket) &&
      withoutZone(candidate.endpoint.address) === withoutZone(mapped.address) &&
      (candidate.endpoint.port === mapped.port || candidate.tcpType === 'active'),
  );
  return found?.tcpType === 'active' ? { ...found, endpoint: mapped } : found;
}
