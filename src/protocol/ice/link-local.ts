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
  return new OwnZones(max);
}

class OwnZones implements LinkLocalZones {
  readonly #max: number;
  readonly #zones: string[] = [];
  readonly #remotes: RemoteCandidate[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  addLocal({ base }: Candidate): readonly RemoteCandidate[] {
    const zone = isLinkLocalIpv6(base) ? zoneOf(base.address) : undefined;
    if (zone === undefined || this.#zones.includes(zone) || this.#zones.length >= MAX_ZONES) return [];
    this.#zones.push(zone);
    return this.#remotes.map((remote) => through(zone, remote));
  }

  addRemote(remote: RemoteCandidate): readonly RemoteCandidate[] {
    if (!isLinkLocalIpv6(remote.endpoint) || zoneOf(remote.endpoint.address) !== undefined) return [remote];
    if (this.#remotes.length < this.#max) this.#remotes.push(remote);
    return this.#zones.map((zone) => through(zone, remote));
  }
}

export function isLinkLocalIpv6({ address, family }: Endpoint): boolean {
  return family === 6 && classifyAddress(address) === 'link-local';
}

function through(zone: string, remote: RemoteCandidate): RemoteCandidate {
  const { address, port } = remote.endpoint;
  return { ...remote, endpoint: endpoint(`${address}%${zone}`, port) };
}
