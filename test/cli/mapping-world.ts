import { EMPTY } from 'rxjs';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { NetworkInterface } from '../../src/core/network.ts';
import type { ListedMapping, Mapping, MappingVia, PortMapper } from '../../src/core/port-mapper.ts';

/** This host: 192.168.0.10. */
export const network = {
  interfaces: (): readonly NetworkInterface[] => [
    { name: 'lo', address: '127.0.0.1', family: 4, internal: true },
    { name: 'eth0', address: '192.168.0.10', family: 4, internal: false },
  ],
};

/** A port mapper of a gateway that has this table. */
export interface FakeTable extends PortMapper {
  /** What was mapped and released, such as `release tcp 80`. */
  readonly calls: readonly string[];
  readonly closed: boolean;
}

/** An error in the place of the table: what every call rejects with. */
export function fakeTable(table: readonly ListedMapping[] | TraversalError, name: MappingVia = 'upnp-igd'): FakeTable {
  const calls: string[] = [];
  const fail = (): void => {
    if (table instanceof TraversalError) throw table;
  };
  const fake = {
    name,
    calls,
    closed: false,
    restarts$: EMPTY,
    async map({
      protocol,
      internalPort,
      externalPort = internalPort,
      internalAddress,
    }: Parameters<PortMapper['map']>[0]) {
      fail();
      calls.push(`map ${protocol} ${externalPort}`);
      const internal = endpoint(internalAddress ?? '192.168.0.10', internalPort);
      return { ...leftover({ via: name, protocol, externalPort }), internal };
    },
    async renew(): Promise<Mapping> {
      throw new TraversalError('ERR_USAGE', 'nobody renews here');
    },
    async release({ protocol, external }: Mapping) {
      fail();
      calls.push(`release ${protocol} ${external.port}`);
    },
    async list() {
      fail();
      return table as readonly ListedMapping[];
    },
    close() {
      fake.closed = true;
    },
  };
  return fake;
}

/** A mapping of port 8080 of this host that was made at time 0. */
export function leftover({ externalPort, ...changes }: Partial<Mapping> & { readonly externalPort: number }): Mapping {
  return {
    via: 'upnp-igd',
    protocol: 'tcp',
    internal: endpoint('192.168.0.10', 8080),
    external: endpoint('203.0.113.7', externalPort),
    gateway: '192.168.0.1',
    lifetime: 3600,
    goodUntil: 3_600_000,
    renewAfter: 1_800_000,
    reach: 'internet',
    handle: {},
    ...changes,
  };
}
