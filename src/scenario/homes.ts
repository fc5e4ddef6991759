import { usage } from '../sim/fields.ts';
import type { LinkSpec } from '../sim/link-spec.ts';
import type { NatSpec } from '../sim/nat/nat-spec.ts';
import { type HostPlan, INTERNET, type NetworkPlan, type NetworkSpec } from '../sim/plan.ts';
import { type PresetName, presets } from '../sim/presets.ts';
import type { Scenario } from './scenario.ts';

/**
 * What stands between a host and what is above it: a preset, a NAT alone, or networks, that which is nearest to the internet
 * first; `[]` or `public`: nothing.
 */
export type Site = PresetName | NatSpec | readonly NetworkSpec[];

export interface HomesOptions {
  /** The site of the dialer, host and peer `a`. */
  readonly a: Site;
  /** The site of the listener, host and peer `b`. */
  readonly b: Site;
  /** What both sites are behind; default `public`. With `a` and `b` public, both hosts are in the innermost network of it. */
  readonly shared?: Site;
  /** Each link to the internet but the server's; default: 20 ms each way. Links inside the sites have no delay. */
  readonly link?: LinkSpec;
  /** Whether the peers ask gateways for port mappings. Default true. */
  readonly mapping?: boolean;
  /** Name of the flow of both peers, among those that the run is given; default: the default flow. */
  readonly flow?: string;
  /** Of all chance. Default 1. */
  readonly seed?: number | string;
}

/**
 * The usual scenario: two hosts, each behind what stands in homes, offices or trains, and a server on the internet with STUN on two
 * addresses (RFC 5780) and a rendezvous on TCP port 443. After 2 s, when both are known to the server, `a` dials `b` by a ticket.
 * The networks are called `a-home`, `b-home` and `shared`, those above them `a-carrier` and so on, the server's host `server`. It is
 * data: print it, change it, run it by `runScenario`. Errors: `ERR_USAGE` for an unknown preset.
 */
export function homes({
  a,
  b,
  shared = 'public',
  link = UPLINK,
  mapping = true,
  flow,
  seed = 1,
}: HomesOptions): Scenario {
  const common = networksOf('shared', shared, INTERNET, link);
  const above = common.at(-1)?.name ?? INTERNET;
  const sides = [
    { name: 'a', networks: networksOf('a-home', a, above, link) },
    { name: 'b', networks: networksOf('b-home', b, above, link) },
  ];
  const hosts = sides.map(({ name, networks }): HostPlan => {
    const network = networks.at(-1)?.name ?? above;
    return { name, interfaces: [network === INTERNET ? { network, link } : { network }] };
  });
  return {
    internet: { seed, networks: [...common, ...sides.flatMap(({ networks }) => networks)], hosts: [SERVER, ...hosts] },
    peers: sides.map(({ name }) => ({ name, host: name, mapping, ...(flow !== undefined && { flow }) })),
    dials: [{ at: 2_000, from: 'a', to: 'b' }],
  };
}

/** The networks of a site from the internet inwards; only the link to the internet has a delay, unless the site has words of its own. */
function networksOf(label: string, site: Site, above: string, link: LinkSpec): NetworkPlan[] {
  const specs = specsOf(label, site);
  const names = specs.map((_, i) => nameOf(label, specs.length - 1 - i));
  return specs.map((spec, i) => {
    const parent = i === 0 ? above : names[i - 1]!;
    return { name: names[i]!, above: parent, uplink: parent === INTERNET ? link : {}, ...spec };
  });
}

function specsOf(label: string, site: Site): readonly NetworkSpec[] {
  if (typeof site !== 'string') return isNetworks(site) ? site : [{ nat: site }];
  const preset = Object.hasOwn(presets, site) ? presets[site] : undefined;
  if (preset === undefined)
    throw usage(label, `there is no preset ${site}; there are ${Object.keys(presets).join(', ')}`);
  return preset.networks;
}

function isNetworks(site: Exclude<Site, string>): site is readonly NetworkSpec[] {
  return Array.isArray(site);
}

/** `a-home`; of those above it `a-carrier`, `a-carrier-2`. */
function nameOf(label: string, height: number): string {
  if (height === 0) return label;
  const carrier = `${label.replace('-home', '')}-carrier`;
  return height === 1 ? carrier : `${carrier}-${height}`;
}

/** 80 ms there and back between two hosts, 40 to the server. */
const UPLINK: LinkSpec = { latency: 20 };

/** Port 443, since some networks let out nothing else. */
const SERVER: HostPlan = {
  name: 'server',
  interfaces: [{ network: INTERNET, addresses: ['192.0.2.10', '192.0.2.11', '2001:db8:2::10'], link: {} }],
  services: [
    { type: 'stun', alternate: true },
    { type: 'rendezvous', port: 443 },
  ],
};
