import { sameEndpoint } from '../../core/endpoint.ts';
import type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../../protocol/gateway-table.ts';
import type { Firewall } from '../firewall.ts';
import type { Nat } from '../nat/nat.ts';
import { familyOf } from '../node.ts';
import type { Pinhole } from '../pinholes.ts';

/** The boxes of a router that let strangers in by request; at least one. */
export interface RouterBoxes {
  readonly nat?: Nat | undefined;
  readonly firewall?: Firewall | undefined;
}

/**
 * What a router maps: ports of its NAT, each with a pinhole in a firewall behind that; and where nothing is translated, as with IPv6, by
 * a pinhole alone, which has the internal endpoint as its external one.
 */
export function createRouterTable({ nat, firewall }: RouterBoxes): GatewayTable {
  /** What translates the address. */
  const natOf = (address: string): Nat | undefined => (familyOf(address) === 4 ? nat : undefined);

  function addPinhole({ lifetime, ...wish }: TableWish, now: number): TableEntry | TableRefusal {
    const { protocol, internal, externalPort = internal.port, description } = wish;
    if (firewall === undefined) return 'unaddressed';
    if (externalPort !== internal.port) return 'conflict';
    const { pinholes, rules } = firewall;
    if (!pinholes.has(protocol, internal, now) && pinholes.list(now).length >= rules.capacity) return 'exhausted';
    const pinhole = { protocol, internal, until: now + lifetime, description };
    pinholes.open(pinhole);
    return entryOf(pinhole);
  }

  /** The firewall behind the NAT lets in what is mapped to an internal endpoint, for as long as any of its mappings stands. */
  function openBehind(nat: Nat, { protocol, internal, description }: Omit<Pinhole, 'until'>, now: number): void {
    const ends = nat.explicit
      .list(now)
      .filter((other) => other.protocol === protocol && sameEndpoint(other.internal, internal))
      .map(({ until }) => until);
    if (ends.length === 0) firewall?.pinholes.close(protocol, internal);
    else firewall?.pinholes.open({ protocol, internal, until: Math.max(...ends), description });
  }

  return {
    externalAddress(host) {
      const translator = host === undefined ? nat : natOf(host);
      return translator === undefined ? host : translator.explicit.addressOf(host);
    },
    add(wish, now) {
      const translator = natOf(wish.internal.address);
      if (translator === undefined) return addPinhole(wish, now);
      const mapping = translator.explicit.add(wish, now);
      if (typeof mapping !== 'string') openBehind(translator, mapping, now);
      return mapping;
    },
    remove(entry, now) {
      const translator = natOf(entry.internal.address);
      translator?.explicit.remove(entry, now);
      if (translator === undefined) firewall?.pinholes.close(entry.protocol, entry.internal);
      else openBehind(translator, entry, now);
    },
    entries(now) {
      const alone = firewall?.pinholes.list(now).filter(({ internal }) => natOf(internal.address) === undefined) ?? [];
      return [...(nat?.explicit.list(now) ?? []), ...alone.map(entryOf)];
    },
  };
}

function entryOf(pinhole: Pinhole): TableEntry {
  return { ...pinhole, external: pinhole.internal };
}
