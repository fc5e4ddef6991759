import { type Candidate, type CandidateTransport, DISCARD_PORT } from '../core/candidate.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { NetworkInterface } from '../core/network.ts';
import { hostCandidates } from './local-candidates.ts';

/**
 * Host candidates over TCP (RFC 6544 section 5.1): passive ones for the addresses that are listened on, active ones for
 * those of the families of `sockets`. No reflexive ones are gathered: behind a NAT a listener is found by nobody.
 */
export function tcpCandidates(
  interfaces: readonly NetworkInterface[],
  { sockets, listening }: { readonly sockets: readonly Endpoint[]; readonly listening: readonly Endpoint[] },
  options: { loopback: boolean },
): readonly Candidate[] {
  const of = (transport: CandidateTransport, local: Endpoint): readonly Candidate[] =>
    hostCandidates(interfaces, { ...transport, local }, options);
  return [
    ...listening.flatMap((local) => of({ transport: 'tcp', tcpType: 'passive' }, local)),
    ...sockets.flatMap((local) => of({ transport: 'tcp', tcpType: 'active' }, { ...local, port: DISCARD_PORT })),
  ];
}
