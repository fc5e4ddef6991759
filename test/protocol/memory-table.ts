import { sameEndpoint } from '../../src/core/endpoint.ts';
import type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../../src/protocol/gateway-table.ts';

/** A table in memory. */
export interface MemoryTable extends GatewayTable {
  readonly list: TableEntry[];
  /** What hosts get outside; none: the gateway has no address. */
  external: string | undefined;
  /** Entries that there is room for. */
  room: number;
}

export function memoryTable(): MemoryTable {
  const list: TableEntry[] = [];

  function add({ externalPort = 50_000, ...wish }: TableWish, now: number): TableEntry | TableRefusal {
    if (table.external === undefined) return 'unaddressed';
    const external = { address: table.external, port: externalPort, family: 4 } as const;
    const standing = list.findIndex(
      (entry) => entry.protocol === wish.protocol && sameEndpoint(entry.external, external) && now < entry.until,
    );
    if (standing >= 0 && !sameEndpoint(list[standing]!.internal, wish.internal)) return 'conflict';
    if (standing < 0 && list.length >= table.room) return 'exhausted';
    const { protocol, internal, description, lifetime } = wish;
    const entry = { protocol, internal, external, description, until: now + lifetime };
    list.splice(standing < 0 ? list.length : standing, standing < 0 ? 0 : 1, entry);
    return entry;
  }

  const table: MemoryTable = {
    list,
    external: '203.0.113.9',
    room: 3,
    externalAddress: () => table.external,
    add,
    remove: (entry) => void list.splice(list.indexOf(entry), 1),
    entries: (now) => list.filter(({ until }) => now < until),
  };
  return table;
}
