import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import type { Mapping } from './mapping.ts';
import { explicitScope, type MappingAllocator } from './mapping-allocator.ts';
import type { MappingTable } from './mapping-table.ts';
import type { TransportPacket } from './session.ts';

type Protocol = TransportPacket['protocol'];

/**
 * Mappings that stand by request (RFC 6887 section 2.2): whoever sends to one gets in, and what its internal endpoint sends leaves
 * by it. Times are in ms.
 */
export interface ExplicitMappings {
  /**
   * Makes a mapping, or renews the one that joins the same endpoints. `conflict`: the port is somebody else's;
   * `exhausted`: no port or no room is left; `unaddressed`: the NAT has no external address.
   */
  add(request: ExplicitRequest, now: number): ExplicitMapping | 'conflict' | 'exhausted' | 'unaddressed';
  /** Ends the lease of a mapping: its flows go on, as when a lease expires. False when there is none. */
  remove(mapping: Pick<ExplicitMapping, 'protocol' | 'external'>, now: number): boolean;
  /** What stands, the oldest first. */
  list(now: number): readonly ExplicitMapping[];
  /** The external address of mappings of an internal host; absent: the first of all. `undefined` when there is none. */
  addressOf(host?: string): string | undefined;
}

/** The same, as the NAT has it. */
export interface ExplicitMappingBook extends ExplicitMappings {
  /** The address of a mapping is lost: an explicit one goes on at another, with its port, where that is free. */
  move(mapping: Mapping, now: number): void;
}

export interface ExplicitRequest {
  readonly protocol: Protocol;
  readonly internal: Endpoint;
  /** 1..65535, also outside the ports that the NAT gives out; absent: any that it gives out. */
  readonly externalPort?: number;
  /** `Infinity` for one without end. */
  readonly lifetime: number;
  readonly description?: string;
}

export interface ExplicitMapping {
  readonly protocol: Protocol;
  readonly internal: Endpoint;
  readonly external: Endpoint;
  /** Virtual time; `Infinity` for one without end. */
  readonly until: number;
  readonly description: string;
}

export function createExplicitMappings(table: MappingTable, allocator: MappingAllocator): ExplicitMappingBook {
  function add(request: ExplicitRequest, now: number): ReturnType<ExplicitMappings['add']> {
    const { protocol, internal, lifetime, description = '' } = request;
    const external = externalOf(request, now);
    if (typeof external === 'string') return external;
    const standing = table.mappingsAt(protocol, external, now);
    if (standing.some((mapping) => !sameEndpoint(mapping.internal, internal))) return 'conflict';
    if (standing.length === 0 && table.isFull(now)) return 'exhausted';
    const mapping = standing[0] ?? table.add(protocol, internal, external, now);
    mapping.lease = { until: now + lifetime, description };
    const scope = explicitScope(protocol, internal);
    if (!table.mappingOf(scope, now)?.isLeased(now)) table.enter(scope, mapping);
    return view(mapping);
  }

  function externalOf({ protocol, internal, externalPort }: ExplicitRequest, now: number): Endpoint | Refusal {
    if (externalPort === undefined) return allocator.allocate(protocol, internal, undefined, now);
    const address = allocator.addressOf(internal.address);
    return address === undefined ? 'unaddressed' : { address, port: externalPort, family: 4 };
  }

  function* leased(now: number): Iterable<Mapping> {
    for (const mapping of table.mappings(now)) if (mapping.isLeased(now)) yield mapping;
  }

  return {
    add,
    remove({ protocol, external }, now) {
      for (const mapping of leased(now)) {
        if (mapping.protocol !== protocol || !sameEndpoint(mapping.external, external)) continue;
        mapping.lease = undefined;
        return true;
      }
      return false;
    },
    list: (now) => Array.from(leased(now), view),
    addressOf: (host) => (host === undefined ? allocator.addresses[0] : allocator.addressOf(host)),
    move(mapping, now) {
      const { protocol, internal, external, lease } = mapping;
      table.remove(mapping);
      if (lease === undefined || now >= lease.until) return;
      add({ protocol, internal, externalPort: external.port, ...lease, lifetime: lease.until - now }, now);
    },
  };
}

type Refusal = 'exhausted' | 'unaddressed';

function view({ protocol, internal, external, lease }: Mapping): ExplicitMapping {
  const { until, description } = lease!;
  return { protocol, internal, external, until, description };
}
