import type { RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint, parseEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';

/**
 * Whether what is seen from afar can have this address: a public one, or loopback, where all is on one machine. Into a private network
 * nobody points us who is not in it: neither the other side, nor a server that tells us where we are.
 */
export function isFromAfar({ address }: Endpoint): boolean {
  const kind = classifyAddress(address);
  return kind === 'public' || kind === 'loopback';
}

/**
 * Where a side's own UDP socket is seen from afar: its server-reflexive IPv4 candidates, and where it has none its public host candidates.
 * At most {@link MAX_TOLD}.
 */
export function seenEndpoints(candidates: readonly RemoteCandidate[]): readonly Endpoint[] {
  const udp = candidates.filter(
    ({ transport, endpoint }) => transport === 'udp' && endpoint.family === 4 && isFromAfar(endpoint),
  );
  const reflexive = udp.filter(({ type }) => type === 'srflx');
  const isPublic = ({ type, endpoint }: RemoteCandidate): boolean =>
    type === 'host' && classifyAddress(endpoint.address) === 'public';
  return (reflexive.length > 0 ? reflexive : udp.filter(isPublic)).slice(0, MAX_TOLD).map(({ endpoint }) => endpoint);
}

/** As they are told to the other side. */
export function tellEndpoints(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.map(formatEndpoint);
}

/** From outside: those endpoints that the other side names and has told as candidates, too: a proposal alone names nobody else's. */
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

/** Whether this side is seen at an address of the same kind: both public, or both on this machine. */
export function isOfKind({ address }: Endpoint, local: readonly RemoteCandidate[]): boolean {
  return seenEndpoints(local).some((own) => classifyAddress(own.address) === classifyAddress(address));
}

const MAX_TOLD = 4;
