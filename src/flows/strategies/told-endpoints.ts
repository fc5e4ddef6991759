import type { RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint, parseEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';

/**
 * Where a side's own UDP socket is seen from afar: its server-reflexive IPv4 candidates, and where it has none its public host candidates.
 * At most {@link MAX_TOLD}.
 */
export function seenEndpoints(candidates: readonly RemoteCandidate[]): readonly Endpoint[] {
  const udp = candidates.filter(({ transport, endpoint: { family } }) => transport === 'udp' && family === 4);
  const reflexive = udp.filter(({ type }) => type === 'srflx');
  const isPublic = ({ type, endpoint }: RemoteCandidate): boolean =>
    type === 'host' && classifyAddress(endpoint.address) === 'public';
  return (reflexive.length > 0 ? reflexive : udp.filter(isPublic)).slice(0, MAX_TOLD).map(({ endpoint }) => endpoint);
}

/** As they are told to the other side. */
export function tellEndpoints(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.map(formatEndpoint);
}

/**
 * From outside: those endpoints that the other side names and has told as candidates, too. So whoever proposes cannot name anybody else's;
 * and nobody on the internet can point into a private network.
 */
export function readEndpoints(
  told: unknown,
  { local, remote }: { readonly local: readonly RemoteCandidate[]; readonly remote: readonly RemoteCandidate[] },
): readonly Endpoint[] {
  const texts = new Set(Array.isArray(told) ? told.slice(0, MAX_TOLD) : []);
  const seen = seenEndpoints(remote);
  return [...texts]
    .flatMap((text) => (typeof text === 'string' ? (parseEndpoint(text) ?? []) : []))
    .filter((endpoint) => seen.some((known) => sameEndpoint(known, endpoint)) && isOfKind(endpoint, local));
}

/** Whether this side is seen at an address of the same kind: both public, or both in networks of the same purpose. */
export function isOfKind({ address }: Endpoint, local: readonly RemoteCandidate[]): boolean {
  return seenEndpoints(local).some((own) => classifyAddress(own.address) === classifyAddress(address));
}

const MAX_TOLD = 4;
