import type { Candidate, RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, endpoint } from '../../core/endpoint.ts';
import { classifyAddress, zoneOf } from '../../core/ip-address.ts';

/** Own zones through which a link-local address is tried. */
const MAX_ZONES = 4;

/**
 * Link-local IPv6 addresses of the other side come without a zone, since a zone means nothing on another host (RFC 4007
 * section 6): each is tried through the zone of each own link-local candidate, four at most.
 */
export interface LinkLocalZones {
  /** Takes the zone of a local candidate; gives the remote candidates that can be reached through it if it is new. */
  addLocal(local: Candidate): readonly RemoteCandidate[];
  /** The candidate as it can be reached; it is kept for zones that come later. */
  addRemote(remote: RemoteCandidate): readonly RemoteCandidate[];
}

/** Keeps at most `max` candidates. */
export function createLinkLocalZones(max: number): LinkLocalZones {
  const zones = new Set<string>();
  const remotes: RemoteCandidate[] = [];

  return {
    addLocal({ base }) {
      const zone = isLinkLocalIpv6(base) ? zoneOf(base.address) : undefined;
      if (zone === undefined || zones.has(zone) || zones.size >= MAX_ZONES) return [];
      zones.add(zone);
      return remotes.map((remote) => through(zone, remote));
    },
    addRemote(remote) {
      if (!isLinkLocalIpv6(remote.endpoint) || zoneOf(remote.endpoint.address) !== undefined) return [remote];
      if (remotes.length < max) remotes.push(remote);
      return [...zones].map((zone) => through(zone, remote));
    },
  };
}

export function isLinkLocalIpv6({ address, family }: Endpoint): boolean {
  return family === 6 && classifyAddress(address) === 'link-local';
}

function through(zone: string, remote: RemoteCandidate): RemoteCandidate {
  const { address, port } = remote.endpoint;
  return { ...remote, endpoint: endpoint(`${address}%${zone}`, port) };
}
