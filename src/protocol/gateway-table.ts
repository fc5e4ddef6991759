import type { Endpoint } from '../core/endpoint.ts';
import type { MappingProtocol } from '../core/port-mapper.ts';

/**
 * What a gateway maps, as the servers of its protocols see it: they read and write messages, the table decides and keeps. Times
 * are in ms of one clock that never goes back. What has expired is not there any more.
 */
export interface GatewayTable {
  /** The address that mappings of a host get outside; absent: the first IPv4 address. `undefined` when there is none at present. */
  externalAddress(host?: string): string | undefined;
  /** Makes a mapping, or renews the one that joins the same endpoints. */
  add(wish: TableWish, now: number): TableEntry | TableRefusal;
  remove(entry: TableEntry, now: number): void;
  /** The oldest first. */
  entries(now: number): readonly TableEntry[];
}

export interface TableWish {
  readonly protocol: MappingProtocol;
  readonly internal: Endpoint;
  /** 1..65535; absent: any. */
  readonly externalPort?: number;
  /** ms; `Infinity` for one without end. */
  readonly lifetime: number;
  /** For people. */
  readonly description: string;
}

export interface TableEntry extends Pick<TableWish, 'protocol' | 'internal' | 'description'> {
  readonly external: Endpoint;
  /** `Infinity` for one without end. */
  readonly until: number;
}

/** The port is somebody else's, no port or no room is left, there is no external address. */
export type TableRefusal = 'conflict' | 'exhausted' | 'unaddressed';

/** The mapping of an internal endpoint; the oldest where it has several. */
export function entryOf(
  table: GatewayTable,
  protocol: MappingProtocol,
  { address, port }: Pick<Endpoint, 'address' | 'port'>,
  now: number,
): TableEntry | undefined {
  return table
    .entries(now)
    .find((entry) => entry.protocol === protocol && entry.internal.address === address && entry.internal.port === port);
}

/**
 * As NAT-PMP and PCP have it, one mapping for each internal endpoint (RFC 6886 section 3.3, RFC 6887 section 11.3): the one that
 * stands is renewed where it is. Else the wished port is taken, without a wish the internal one, and if that is somebody's, any.
 */
export function grantPort(table: GatewayTable, wish: TableWish, now: number): TableEntry | TableRefusal {
  const { protocol, internal, externalPort = internal.port } = wish;
  const port = entryOf(table, protocol, internal, now)?.external.port ?? externalPort;
  const granted = table.add({ ...wish, externalPort: port }, now);
  return granted === 'conflict' ? table.add({ ...wish, externalPort: undefined }, now) : granted;
}
