import { crc32 } from 'node:zlib';
import {
  type Candidate,
  type CandidateTransport,
  type CandidateType,
  candidateKey,
  candidatePriority,
  type RemoteCandidate,
  transportOf,
  UDP,
} from '../core/candidate.ts';
import { type Endpoint, endpoint, isReachableUnicast, sameEndpoint } from '../core/endpoint.ts';
import { type AddressKind, classifyAddress } from '../core/ip-address.ts';
import type { NetworkInterface } from '../core/network.ts';
import type { Policy } from '../core/policy.ts';
import type { Mapping } from '../core/port-mapper.ts';
import { MAX_CANDIDATES } from '../protocol/rendezvous/index.ts';

/** At most this many host candidates a family, so that a host with many containers does not flood the other side. */
const MAX_HOSTS = 6;

/** Interfaces of containers, bridges and tunnels: worth a try, but after the real ones. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|tun|tap|utun|wg|zt|tailscale|vmnet|vboxnet|vEthernet)/i;

/** Addresses that no candidate is made of: RFC 8445 section 5.1.1.1, and what is nobody's. */
const UNFIT: ReadonlySet<AddressKind> = new Set(['unspecified', 'multicast', 'broadcast', 'deprecated']);

/**
 * Host candidates of one socket that is bound to all addresses (RFC 8445 section 5.1.1.1): real interfaces before
 * virtual ones, IPv6 link-local addresses last, at most six. Loopback only where `loopback` says so, and a link-local
 * IPv6 address only where its interface has no other: it would tell of the machine what a temporary address hides.
 */
export function hostCandidates(
  interfaces: readonly NetworkInterface[],
  socket: CandidateTransport & { readonly local: Endpoint },
  { loopback }: { loopback: boolean },
): readonly Candidate[] {
  const { family, port } = socket.local;
  const usable = interfaces
    .filter((each) => each.family === family)
    .map((each) => ({ ...each, kind: classifyAddress(each.address) }))
    .filter(({ kind }) => !UNFIT.has(kind) && (kind !== 'loopback' || loopback));
  const isLinkLocal = (each: (typeof usable)[number]): boolean => family === 6 && each.kind === 'link-local';
  const isCovered = (each: (typeof usable)[number]): boolean =>
    isLinkLocal(each) && usable.some((other) => other.name === each.name && !isLinkLocal(other));
  const rank = (each: (typeof usable)[number]): number =>
    isLinkLocal(each) ? 3 : each.internal ? 2 : VIRTUAL.test(each.name) ? 1 : 0;
  return usable
    .filter((each) => !isCovered(each))
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MAX_HOSTS)
    .map(({ address }, i) => {
      const at = endpoint(address, port);
      return makeCandidate({ ...transportOf(socket), type: 'host', endpoint: at, base: at }, preference(at, i), '');
    });
}

/** A server-reflexive candidate (RFC 8445 section 5.1.1.2), the `rank`th of its family from 0. */
export function reflexiveCandidate(mapped: Endpoint, base: Endpoint, server: string, rank: number): Candidate {
  return makeCandidate({ ...UDP, type: 'srflx', endpoint: mapped, base }, preference(mapped, rank), server);
}

/**
 * Candidates of explicit port mappings, as if a server had seen them (RFC 8445 section 5.1.1.2): the base is the host
 * candidate that the mapping leads to. None where it leads to none of `candidates`, where one of them has its address
 * already, and where nobody could send to what the gateway says.
 */
export function mappedCandidates(
  mappings: readonly Mapping[],
  candidates: readonly Candidate[],
  { loopback }: { loopback: boolean },
): readonly Candidate[] {
  const known = new Set(candidates.map(candidateKey));
  return mappings.flatMap(({ protocol, internal, external, gateway }) => {
    const base = candidates.find(
      ({ type, transport, endpoint: at }) => type === 'host' && transport === protocol && sameEndpoint(at, internal),
    );
    if (base === undefined || !isReachableUnicast(external, loopback)) return [];
    const obtained: Obtained = { ...transportOf(base), type: 'mapped', endpoint: external, base: base.endpoint };
    const before = candidates.filter(
      ({ type, endpoint: { family } }) => type === 'mapped' && family === external.family,
    );
    return known.has(candidateKey(obtained))
      ? []
      : [makeCandidate(obtained, preference(external, before.length), gateway)];
  });
}

/** A relayed candidate (RFC 8445 section 5.1.1.2): it is its own base, for what leaves from there is seen to come from there. */
export function relayCandidate(relayed: Endpoint, server: string): Candidate {
  return makeCandidate({ ...UDP, type: 'relay', endpoint: relayed, base: relayed }, preference(relayed, 0), server);
}

/** What else an address outside can be to its peer: seen by a server, or made by whoever runs the NAT. */
export type AnnouncedType = Extract<CandidateType, 'srflx' | 'mapped'>;

/**
 * Candidates for an address of which it is known that it leads to a socket of this peer. Its port leads to the UDP socket; 0 is to each
 * socket's own port, of UDP and TCP, as behind a NAT that translates one to one. The base is the first host candidate of the family and
 * transport. None where there is no such, where one of `hosts` has the address already, and where nobody could send to it.
 */
export function announcedCandidates(
  { address, type, rank }: { readonly address: Endpoint; readonly type: AnnouncedType; readonly rank: number },
  hosts: readonly Candidate[],
  { loopback }: { loopback: boolean },
): readonly Candidate[] {
  const known = new Set(hosts.map(candidateKey));
  const transports: readonly CandidateTransport[] = address.port === 0 ? [UDP, PASSIVE] : [UDP];
  return transports.flatMap((transport) => {
    const base = hosts.find(
      ({ transport: of, tcpType, endpoint: { family } }) =>
        of === transport.transport && tcpType === transport.tcpType && family === address.family,
    )?.endpoint;
    if (base === undefined) return [];
    const at = endpoint(address.address, address.port || base.port);
    const obtained: Obtained = { ...transport, type, endpoint: at, base };
    if (!isReachableUnicast(at, loopback) || known.has(candidateKey(obtained))) return [];
    return [makeCandidate(obtained, preference(at, rank), 'announced')];
  });
}

const PASSIVE: CandidateTransport = { transport: 'tcp', tcpType: 'passive' };

/**
 * Unique for each, and the families take turns, IPv6 first: a broken one costs the other no more than one Ta a pair
 * (RFC 8421 section 4).
 */
function preference({ family }: Endpoint, rank: number): number {
  return 65_535 - 2 * rank - (family === 6 ? 0 : 1);
}

type Obtained = CandidateTransport & {
  readonly type: CandidateType;
  readonly endpoint: Endpoint;
  readonly base: Endpoint;
};

function makeCandidate(obtained: Obtained, localPreference: number, server: string): Candidate {
  const { type, base, transport, tcpType } = obtained;
  return {
    ...obtained,
    priority: candidatePriority(type, localPreference, obtained),
    foundation: crc32(`${type} ${base.address} ${server} ${transport} ${tcpType ?? ''}`).toString(36),
  };
}

/**
 * What the other side is told: no bases, no active TCP candidates, which it could do nothing with, and nothing but addresses at relays
 * where the policy hides our own. At most as many as a message holds, the first ones: TCP comes last.
 */
export function toldCandidates(candidates: readonly Candidate[], policy: Policy): readonly RemoteCandidate[] {
  return candidates
    .filter(({ type, tcpType }) => (type === 'relay' || policy !== 'relay-only') && tcpType !== 'active')
    .slice(0, MAX_CANDIDATES)
    .map(({ base: _, ...told }) => told);
}
