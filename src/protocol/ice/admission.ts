import type { RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, endpoint, isReachableUnicast } from '../../core/endpoint.ts';
import { classifyAddress, parseIp } from '../../core/ip-address.ts';

/**
 * Whether checks may be aimed at an address on the other side's word: unicast, not loopback unless allowed, port not 0,
 * link-local IPv6 only with a zone (RFC 4007). An address that is not numeric is refused too.
 */
export function isAdmissible(at: Endpoint, allowLoopback: boolean): boolean {
  if (parseIp(at.address) === undefined || !Number.isInteger(at.port) || at.port < 1 || at.port > 65535) return false;
  if (isLinkLocalIpv6(at) && !at.address.includes('%')) return false;
  return isReachableUnicast(at) || (allowLoopback && classifyAddress(at.address) === 'loopback');
}

/** The candidate with its address in canonical form, or `undefined` when its numbers are out of range. */
export function normalizeCandidate<C extends RemoteCandidate>(candidate: C): C | undefined {
  const { address, port } = candidate.endpoint;
  if (!isPriority(candidate.priority) || parseIp(address) === undefined) return undefined;
  if (!Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  return { ...candidate, endpoint: endpoint(address, port) };
}

/** 1..2^31-1 (RFC 8445 section 5.1.2). */
export function isPriority(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value < 2 ** 31;
}

/** Same family, and link-local IPv6 only with its like (RFC 8445 section 6.1.2.2). */
export function canPair(local: Endpoint, remote: Endpoint): boolean {
  return local.family === remote.family && isLinkLocalIpv6(local) === isLinkLocalIpv6(remote);
}

function isLinkLocalIpv6({ address, family }: Endpoint): boolean {
  return family === 6 && classifyAddress(address) === 'link-local';
}
