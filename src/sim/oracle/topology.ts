import type { Family } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';
import { Fields, usage } from '../fields.ts';
import { type HostPlan, INTERNET, type NetworkPlan } from '../plan.ts';
import { readHost, readNetwork } from '../plan-reader.ts';

/** What the oracle looks at: of a plan, the networks and the hosts. */
export interface Topology {
  readonly networks?: readonly TopologyNetwork[];
  readonly hosts?: readonly Pick<HostPlan, 'name' | 'interfaces'>[];
}

export type TopologyNetwork = Omit<NetworkPlan, 'uplink'>;

/** The networks between a host and the internet, the host's own first. */
export type Location = readonly TopologyNetwork[];

/** Reads plain data, a plan too. Throws `ERR_USAGE` with the path of the field that is not as it should be. */
export function readTopology(value: unknown): Topology {
  const fields = new Fields(value, '', ['seed', 'networks', 'hosts', 'events']);
  return { networks: fields.list('networks', readNetwork), hosts: fields.list('hosts', readHost) };
}

/** Where a host is attached, one location an interface. Errors: `ERR_USAGE` when there is no such host or network. */
export function locationsOf(topology: Topology, host: string): readonly Location[] {
  const found = topology.hosts?.find(({ name }) => name === host);
  if (found === undefined) throw usage('', `there is no host ${host}`);
  return found.interfaces.map(({ network }) => locationOf(topology, network));
}

/** Whether hosts of the location have addresses of the family that lead to the internet. */
export function hasFamily(location: Location, family: Family): boolean {
  const [own] = location;
  if (own === undefined) return true;
  if (family === 4) return location.every(({ ipv4 }) => ipv4 !== false);
  return own.ipv6 !== undefined && own.ipv6 !== false;
}

/** How many IPv4 addresses the router of a network has above. */
export function externalAddresses({ external }: TopologyNetwork): number {
  return Math.max(1, external?.filter((address) => parseIp(address)?.family === 4).length ?? 0);
}

function locationOf(topology: Topology, name: string): Location {
  const location: TopologyNetwork[] = [];
  for (let at = name; at !== INTERNET; at = location.at(-1)!.above ?? INTERNET) {
    const network = topology.networks?.find((one) => one.name === at);
    if (network === undefined) throw usage('', `there is no network ${at}`);
    if (location.includes(network)) throw usage('', `network ${at} is above itself`);
    location.push(network);
  }
  return location;
}
