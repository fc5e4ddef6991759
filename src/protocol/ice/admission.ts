import { type CandidateTransport, type RemoteCandidate, type TcpType, UDP } from '../../core/candidate.ts';
import { type Endpoint, endpoint, isReachableUnicast } from '../../core/endpoint.ts';
import { classifyAddress, parseIp, zoneOf } from '../../core/ip-address.ts';
import type { LocalSocket } from './candidate-pair.ts';
import { isLinkLocalIpv6 } from './link-local.ts';

/**
 * Whether checks may be aimed at an address on the other side's word: unicast, not loopback unless allowed, port not 0,
 * link-local IPv6 only with a zone (RFC 4007). An address that is not numeric is refused too.
 */
export function isAdmissible(at: Endpoint, allowLoopback: boolean): boolean {
  if (parseIp(at.address) === undefined || !Number.isInteger(at.port) || at.port < 1 || at.port > 65535) return false;
  if (isLinkLocalIpv6(at) && zoneOf(at.address) === undefined) return false;
  return isReachableUnicast(at, allowLoopback);
}

/**
 * The same for a candidate. Over TCP, where a check is a connection and bytes to whatever listens there, no port below
 * 1024: a peer's listeners are on ephemeral ports, the services of its neighbours on low ones. Active candidates are
 * not connected to.
 */
export function isAdmissibleCandidate({ endpoint, ...by }: RemoteCandidate, allowLoopback: boolean): boolean {
  const isConnectedTo = by.transport === 'tcp' && by.tcpType !== 'active';
  return isAdmissible(endpoint, allowLoopback) && !(isConnectedTo && endpoint.port < LEAST_TCP_PORT);
}

/**
 * A private host address is there from the start or not at all; others open up when the NAT or firewall in front does.
 * TCP has tried long enough by itself.
 */
export function mayBecomeReachable({ type, endpoint, transport }: RemoteCandidate): boolean {
  if (transport === 'tcp') return false;
  return type !== 'host' || classifyAddress(endpoint.address) === 'public';
}

/**
 * The candidate with its address in canonical form, itself if it has that, or `undefined` when its numbers are out of
 * range.
 */
export function normalizeCandidate<C extends RemoteCandidate>(candidate: C): C | undefined {
  const { address, port, family } = candidate.endpoint;
  if (!isPriority(candidate.priority) || parseIp(address) === undefined) return undefined;
  if (!Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  const canonical = endpoint(address, port);
  return canonical.address === address && canonical.family === family
    ? candidate
    : { ...candidate, endpoint: canonical };
}

/** 1..2^31-1 (RFC 8445 section 5.1.2). */
export function isPriority(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value < 2 ** 31;
}

/**
 * Same family, link-local IPv6 only with its like of the same zone (RFC 8445 section 6.1.2.2), and same transport,
 * where one side of a TCP connection opens it and the other waits (RFC 6544 section 6.2).
 */
export function canPair(local: LocalSocket, remote: RemoteCandidate): boolean {
  if (local.transport !== remote.transport || counterpart(local).tcpType !== remote.tcpType) return false;
  const { base } = local;
  const { endpoint: to } = remote;
  if (base.family !== to.family || isLinkLocalIpv6(base) !== isLinkLocalIpv6(to)) return false;
  return zoneOf(base.address) === zoneOf(to.address);
}

/** The transport at the other end. */
export function counterpart({ tcpType }: CandidateTransport): CandidateTransport {
  return tcpType === undefined ? UDP : { transport: 'tcp', tcpType: OTHER_END[tcpType] };
}

/** The first that is not a system port (RFC 6335 section 6). */
const LEAST_TCP_PORT = 1024;

const OTHER_END: Record<TcpType, TcpType> = { active: 'passive', passive: 'active', so: 'so' };
