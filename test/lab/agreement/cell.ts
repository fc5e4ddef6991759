import type { MiniupnpdOptions } from '../net/miniupnpd.ts';
import type { NATS } from '../net/nat.ts';

/** A pair of sites that both worlds are asked about: plain data. */
export interface Cell {
  readonly name: string;
  readonly dialer: Site;
  readonly listener: Site;
  /** A NAT that both hosts are behind, on one LAN; both sites are empty then. */
  readonly sameLan?: NatName;
  /**
   * The first checks of both sides can cross. One that comes in through an APD/EI NAT, or by a mapped port of an APD/APD NAT, when the
   * host behind it has sent its own already is renumbered by conntrack: so the type of the remote candidate, `srflx` or `prflx`,
   * depends on a few ms of computing.
   */
  readonly checksMayCross?: boolean;
}

export type NatName = keyof typeof NATS;

/** What is between a host and the internet; `{}`: nothing. Its uplink takes {@link DELAY}. */
export interface Site {
  readonly nat?: NatName;
  /** A NAT above it. */
  readonly carrier?: NatName;
  /** By what the NAT maps ports for those who ask; absent: by nothing, and nobody asks. */
  readonly maps?: MiniupnpdOptions;
}

/** ms, one way, of each uplink. */
export const DELAY = 20;

/**
 * ms, one way, of the server's. So what goes by way of the server is later than what goes directly, in both worlds: in the kernel the
 * server's work sees to it, and the simulator's takes no time.
 */
export const SERVER_DELAY = 10;

/** ms between two pings. */
export const PING_EVERY = 100;

export const CELLS: readonly Cell[] = [
  natPair('EI/EI', 'EI/EI'),
  natPair('EI/APD', 'EI/APD'),
  natPair('EI/APD, random ports', 'EI/APD, random ports'),
  natPair('EI/AD', 'EI/APD, random ports'),
  natPair('EI/EI', 'APD/APD'),
  natPair('APD/APD', 'EI/EI'),
  natPair('EI/AD', 'APD/APD'),
  natPair('APD/APD', 'EI/AD'),
  { ...natPair('EI/APD', 'APD/EI'), checksMayCross: true },
  { ...natPair('APD/EI', 'EI/APD'), checksMayCross: true },
  { ...natPair('APD/EI', 'APD/EI'), checksMayCross: true },
  natPair('APD/EI', 'APD/AD'),
  natPair('APD/AD', 'APD/EI'),
  natPair('APD/EI', 'APD/APD'),
  natPair('APD/AD', 'APD/AD'),
  natPair('EI/APD', 'APD/APD'),
  natPair('APD/APD', 'EI/APD'),
  natPair('APD/APD', 'APD/APD'),
  pair({ nat: 'EI/APD', carrier: 'EI/APD' }, { nat: 'EI/APD', carrier: 'EI/EI' }),
  pair({}, { nat: 'EI/APD', carrier: 'APD/APD' }),
  pair({}, {}),
  pair({}, { nat: 'APD/APD' }),
  pair({ nat: 'APD/APD' }, {}),
  { name: 'both on one LAN behind EI/APD', dialer: {}, listener: {}, sameLan: 'EI/APD' },
  pair({ nat: 'drops UDP' }, {}),
  pair({}, { nat: 'drops UDP' }),
  pair({ nat: 'drops UDP' }, { nat: 'EI/EI' }),
  pair({ nat: 'only TCP 443 out' }, { nat: 'EI/EI' }),
  pair({ nat: 'APD/APD' }, { nat: 'APD/APD', maps: { igd: 1 } }),
  { ...pair({ nat: 'EI/APD' }, { nat: 'APD/APD', maps: { igd: 2 } }), checksMayCross: true },
];

function natPair(dialer: NatName, listener: NatName): Cell {
  return pair({ nat: dialer }, { nat: listener });
}

function pair(dialer: Site, listener: Site): Cell {
  return { name: `${nameOf(dialer)} x ${nameOf(listener)}`, dialer, listener };
}

function nameOf({ nat, carrier, maps }: Site): string {
  if (nat === undefined) return 'public';
  const mapper =
    maps === undefined ? '' : ` that maps by ${maps.igd === undefined ? 'PCP or NAT-PMP' : `UPnP ${maps.igd}`}`;
  return `${nat}${mapper}${carrier === undefined ? '' : ` behind ${carrier}`}`;
}
