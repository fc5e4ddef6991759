import type { Clock } from '../../../core/clock.ts';
import { endpoint, isReachableUnicast } from '../../../core/endpoint.ts';
import { TraversalError } from '../../../core/errors.ts';
import { parseIp } from '../../../core/ip-address.ts';
import {
  DEFAULT_LIFETIME,
  type ListedMapping,
  type Mapping,
  type MappingRequest,
  mappingReach,
} from '../../../core/port-mapper.ts';
import type { Random } from '../../../core/random.ts';
import { completeRequest, leaseTimes } from '../conduct.ts';
import { mappingDescription } from './mapping-description.ts';
import { type AskGateway, type Lease, type LeaseWish, readTable } from './port-lease.ts';

/** The wish in a request, once the address of this host is known by which the gateway knows it. Errors: `ERR_USAGE`. */
export function wishOfRequest(request: MappingRequest): (local: string) => LeaseWish {
  const { internalAddress, description, ...wish } = completeRequest(request);
  if (internalAddress !== undefined && parseIp(internalAddress)?.family !== 4) {
    throw new TraversalError('ERR_USAGE', `UPnP maps ports of IPv4 addresses, and ${internalAddress} is none`);
  }
  const inTable = mappingDescription(description);
  return (local) => ({ ...wish, description: inTable, internalClient: internalAddress ?? local });
}

/** The wish that makes a mapping anew. */
export function wishOfMapping({ protocol, internal, external, lifetime, handle }: Mapping): LeaseWish {
  return {
    protocol,
    internalClient: internal.address,
    internalPort: internal.port,
    externalPort: external.port,
    lifetime: Number(handle.asked) || lifetime || DEFAULT_LIFETIME,
    description: mappingDescription(String(handle.description)),
    onConflict: 'another-port',
  };
}

export interface Leased {
  readonly via: 'upnp-igd' | 'nat-upnp';
  /** Numeric address. */
  readonly gateway: string;
  readonly wish: LeaseWish;
  readonly lease: Lease;
  /** Numeric address. */
  readonly externalAddress: string;
  /** What the adapter wants to find again. */
  readonly notes?: Mapping['handle'];
}

export function upnpMapping(
  { via, gateway, wish, lease, externalAddress, notes }: Leased,
  environment: { readonly clock: Clock; readonly random: Random },
): Mapping {
  return {
    via,
    protocol: wish.protocol,
    internal: endpoint(wish.internalClient, wish.internalPort),
    external: endpoint(externalAddress, lease.externalPort),
    gateway,
    ...leaseTimes(lease.lifetime, environment),
    reach: mappingReach(externalAddress),
    handle: { ...notes, description: wish.description, asked: wish.lifetime, listed: lease.listed ? 1 : 0 },
  };
}

/** Whether a renewal found that the gateway had lost the mapping, which its table showed when it was made. */
export function wasLost({ handle }: Mapping, renewal: Lease): boolean {
  return handle.listed === 1 && !renewal.renewed;
}

/** Errors: `ERR_MAPPING_REFUSED` when the gateway has no address, `ERR_GATEWAY_PROTOCOL` when what it tells is none. */
export function readExternalAddress(text: string): string {
  if (text === '' || text === '0.0.0.0') {
    throw new TraversalError('ERR_MAPPING_REFUSED', 'the gateway has no external address: it is not connected itself');
  }
  if (parseIp(text)?.family === 4 && isReachableUnicast(endpoint(text, 1))) return text;
  throw new TraversalError('ERR_GATEWAY_PROTOCOL', 'the external address that the gateway tells is none');
}

/** The gateway's table, without entries that lead to a host known by its name only. Errors: `ERR_GATEWAY_PROTOCOL` for one without end. */
export async function listMappings(ask: AskGateway): Promise<readonly ListedMapping[]> {
  const listed: ListedMapping[] = [];
  let entries = 0;
  for await (const entry of readTable(ask, MAX_ENTRIES)) {
    entries++;
    const { protocol, externalPort, internalClient, internalPort, lease, description, enabled } = entry;
    if (parseIp(internalClient) === undefined) continue;
    const internal = endpoint(internalClient, internalPort);
    listed.push({ protocol, externalPort, internal, lifetime: lease, description, enabled });
  }
  if (entries < MAX_ENTRIES) return listed;
  throw new TraversalError('ERR_GATEWAY_PROTOCOL', `the gateway lists mappings without end: ${entries} and more`);
}

const MAX_ENTRIES = 1_024;
