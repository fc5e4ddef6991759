import { crc32 } from 'node:zlib';
import { type Candidate, type CandidateType, candidatePriority, type RemoteCandidate } from '../core/candidate.ts';
import { type Endpoint, endpoint } from '../core/endpoint.ts';
import { classifyAddress } from '../core/ip-address.ts';
import type { NetworkInterface } from '../core/network.ts';
import type { Policy } from '../core/policy.ts';

/** At most this many host candidates a family, so that a host with many containers does not flood the other side. */
const MAX_HOSTS = 6;

/** Interfaces of containers, bridges and tunnels: worth a try, but after the real ones. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|tun|tap|utun|wg|zt|tailscale|vmnet|vboxnet|vEthernet)/i;

/**
 * Host candidates of one socket that is bound to all addresses (RFC 8445 section 5.1.1.1): real interfaces before virtual ones,
 * at most six. Loopback only where `loopback` says so; IPv6 link-local addresses are left out.
 */
export function hostCandidates(
  interfaces: readonly NetworkInterface[],
  local: Endpoint,
  { loopback }: { loopback: boolean },
): readonly Candidate[] {
  const usable = interfaces.filter(({ family, address }) => {
    const kind = classifyAddress(address);
    return family === local.family && kind !== 'link-local' && (kind !== 'loopback' || loopback);
  });
  const rank = (i: NetworkInterface): number => (i.internal ? 2 : VIRTUAL.test(i.name) ? 1 : 0);
  return usable
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MAX_HOSTS)
    .map(({ address }, i) => {
      const at = endpoint(address, local.port);
      return makeCandidate('host', at, at, preference(at, i), '');
    });
}

/** A server-reflexive candidate (RFC 8445 section 5.1.1.2). */
export function reflexiveCandidate(mapped: Endpoint, base: Endpoint, server: string): Candidate {
  return makeCandidate('srflx', mapped, base, preference(mapped, 0), server);
}

/** IPv6 before IPv4 of the same rank (RFC 8421 section 4). */
function preference({ family }: Endpoint, rank: number): number {
  return 65_535 - 2 * rank - (family === 6 ? 0 : 1);
}

function makeCandidate(type: CandidateType, at: Endpoint, base: Endpoint, local: number, server: string): Candidate {
  return {
    type,
    endpoint: at,
    base,
    priority: candidatePriority(type, local),
    foundation: crc32(`${type} ${base.address} ${server}`).toString(36),
  };
}

/** What the other side is told: no bases, and nothing at all where the policy hides addresses. */
export function toldCandidates(candidates: readonly Candidate[], policy: Policy): readonly RemoteCandidate[] {
  return policy === 'relay-only' ? [] : candidates.map(({ base: _, ...told }) => told);
}
