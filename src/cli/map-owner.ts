import type { NotedMapping } from '../adapters/node/lease-journal.ts';
import { isOurDescription } from '../adapters/port-mapper/upnp/mapping-description.ts';
import type { Network } from '../core/network.ts';
import type { ListedMapping } from '../core/port-mapper.ts';

/** Whose a mapping of a gateway's table is: Sallyport's on this host, another program's here, another host's. */
export type MappingOwner = 'sallyport' | 'this-host' | 'another-host';

/** Tells owners by the addresses that this host has now, and by what runs of this program have noted or written into the table. */
export function mappingOwners(
  network: Pick<Network, 'interfaces'>,
  noted: readonly NotedMapping[],
): (entry: ListedMapping) => MappingOwner {
  const own = new Set(network.interfaces().map(({ address }) => address));
  const ours = new Set(noted.map(({ mapping: { protocol, external } }) => `${protocol} ${external.port}`));
  return ({ protocol, externalPort, internal, description }) => {
    if (!own.has(internal.address)) return 'another-host';
    const isOurs = ours.has(`${protocol} ${externalPort}`) || isOurDescription(description);
    return isOurs ? 'sallyport' : 'this-host';
  };
}
