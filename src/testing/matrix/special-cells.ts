import { homes, type Site } from '../../scenario/index.ts';
import type { FirewallSpec, GatewaySpec, NatSpec, NetworkSpec } from '../../sim/index.ts';
import type { MatrixCell } from './cell.ts';
import { NAT_KINDS, type NatKind, natOfKind } from './nat-kind.ts';

/** Two sides that no table of NAT kinds has. */
interface SpecialCase {
  readonly name: string;
  readonly a: Site;
  readonly b: Site;
  /** What both are behind. */
  readonly shared?: Site;
}

/** Topologies by name, each with both sides as the dialer. */
export function specialCells(seed: number): readonly MatrixCell[] {
  return Object.entries(SPECIAL_CASES).flatMap(([table, cases]) =>
    cases.flatMap(({ name, a, b, shared }) => [
      { table, row: name, column: 'first dials', scenario: homes({ a, b, shared, seed }) },
      { table, row: name, column: 'second dials', scenario: homes({ a: b, b: a, shared, seed }) },
    ]),
  );
}

const PCP: GatewaySpec = { pcp: true };

/** A home router without hairpinning. */
const HOME: NetworkSpec = { nat: natOfKind('EI/APD', { hairpin: 'none' }) };
const MAPPING_HOME: NetworkSpec = { ...HOME, gateway: PCP };
const STATEFUL: FirewallSpec = {};
const NO_UDP: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: 'any' }] };
const WEB_ONLY: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: [443] }] };
const SILENCE: FirewallSpec = { outbound: [] };

/** Shared address space between a carrier and its subscribers (RFC 6598). */
const carrier = (kind: NatKind, options: NatSpec = {}, spec: Partial<NetworkSpec> = {}): NetworkSpec => ({
  nat: natOfKind(kind, options),
  ipv4: '100.64.0.0/10',
  ...spec,
});

const home = (kind: NatKind, options: NatSpec = {}, spec: Partial<NetworkSpec> = {}): readonly NetworkSpec[] => [
  { nat: natOfKind(kind, options), ...spec },
];

const NO_HAIRPIN: NatSpec = { hairpin: 'none' };
const KEPT_AND_SHARED: NatSpec = { portAllocation: 'preserve', portReuse: 'overlapping' };
const TRACKED: NatSpec = { portAllocation: 'preserve', pinning: true, unsolicited: 'tracked' };
const ARBITRARY_POOL = { external: ['198.51.100.1', '198.51.100.2'] };

const SPECIAL_CASES: Readonly<Record<string, readonly SpecialCase[]>> = {
  'one side public': NAT_KINDS.map((kind) => ({ name: `${kind} with a public side`, a: home(kind), b: [] })),

  'both behind one NAT': [
    { name: 'one LAN behind EI/APD without hairpinning', shared: [HOME], a: [], b: [] },
    { name: 'one LAN behind APD/APD', shared: home('APD/APD'), a: [], b: [] },
    {
      name: 'guests kept apart behind EI/APD',
      shared: home('EI/APD', {}, { isolated: true }),
      a: [],
      b: [],
    },
    {
      name: 'guests kept apart behind EI/APD without hairpinning',
      shared: [{ ...HOME, isolated: true }],
      a: [],
      b: [],
    },
    { name: 'homes behind one carrier EI/EI', shared: [carrier('EI/EI')], a: [HOME], b: [HOME] },
    {
      name: 'homes kept apart behind one carrier EI/EI',
      shared: [carrier('EI/EI', {}, { isolated: true })],
      a: [HOME],
      b: [HOME],
    },
    {
      name: 'homes behind one carrier EI/EI without hairpinning',
      shared: [carrier('EI/EI', NO_HAIRPIN)],
      a: [HOME],
      b: [HOME],
    },
    {
      name: 'homes that map ports behind one carrier EI/EI without hairpinning',
      shared: [carrier('EI/EI', NO_HAIRPIN)],
      a: [MAPPING_HOME],
      b: [MAPPING_HOME],
    },
    {
      name: 'homes that map ports, kept apart behind one carrier EI/EI without hairpinning',
      shared: [carrier('EI/EI', NO_HAIRPIN, { isolated: true })],
      a: [MAPPING_HOME],
      b: [MAPPING_HOME],
    },
  ],

  'carrier NATs': [
    { name: 'home behind EI/EI with EI/APD', a: [carrier('EI/EI'), HOME], b: [HOME] },
    { name: 'homes behind an EI/EI each', a: [carrier('EI/EI'), HOME], b: [carrier('EI/EI'), HOME] },
    { name: 'home behind APD/APD with EI/EI', a: [carrier('APD/APD'), HOME], b: home('EI/EI') },
    { name: 'home behind APD/APD with EI/APD', a: [carrier('APD/APD'), HOME], b: [HOME] },
    {
      name: 'home that maps ports behind APD/APD with APD/APD',
      a: [carrier('APD/APD'), MAPPING_HOME],
      b: home('APD/APD'),
    },
    {
      name: 'home that maps ports behind EI/EI with APD/APD',
      a: [carrier('EI/EI'), MAPPING_HOME],
      b: home('APD/APD'),
    },
    {
      name: 'home and building behind EI/EI with EI/APD',
      a: [carrier('EI/EI'), { nat: natOfKind('EI/AD'), ipv4: '10.0.0.0/16' }, HOME],
      b: [HOME],
    },
  ],

  'IPv6 and firewalls': [
    {
      name: 'IPv6 behind a firewall on both sides, APD/APD for IPv4',
      a: home('APD/APD', {}, { ipv6: true, firewall: STATEFUL }),
      b: home('APD/APD', {}, { ipv6: true, firewall: STATEFUL }),
    },
    {
      name: 'IPv6 on one side only, APD/APD for IPv4',
      a: home('APD/APD', {}, { ipv6: true, firewall: STATEFUL }),
      b: home('APD/APD'),
    },
    {
      name: 'IPv6 only on one side, both on the other',
      a: [{ ipv4: false, ipv6: true, firewall: STATEFUL }],
      b: home('APD/APD', {}, { ipv6: true, firewall: STATEFUL }),
    },
    { name: 'IPv6 only with IPv4 only', a: [{ ipv4: false, ipv6: true, firewall: STATEFUL }], b: [HOME] },
    { name: 'firewalls without NAT', a: [{ firewall: STATEFUL }], b: [{ firewall: STATEFUL }] },
    { name: 'firewall without NAT with EI/APD', a: [{ firewall: STATEFUL }], b: [HOME] },
    { name: 'firewall without NAT with APD/APD', a: [{ firewall: STATEFUL }], b: home('APD/APD') },
    { name: 'firewall that opens by PCP with APD/APD', a: [{ firewall: STATEFUL, gateway: PCP }], b: home('APD/APD') },
  ],

  'without UDP': [
    { name: 'no UDP with a public side', a: [{ ...HOME, firewall: NO_UDP }], b: [] },
    { name: 'no UDP with EI/EI', a: [{ ...HOME, firewall: NO_UDP }], b: home('EI/EI') },
    { name: 'no UDP with APD/APD', a: [{ ...HOME, firewall: NO_UDP }], b: home('APD/APD') },
    { name: 'no UDP with EI/APD that maps ports', a: [{ ...HOME, firewall: NO_UDP }], b: [MAPPING_HOME] },
    { name: 'no UDP with EI/APD, both', a: [{ ...HOME, firewall: NO_UDP }], b: [{ ...HOME, firewall: NO_UDP }] },
    {
      name: 'no UDP on one side, IPv6 without firewall on both',
      a: home('APD/APD', {}, { ipv6: true, firewall: NO_UDP }),
      b: home('APD/APD', {}, { ipv6: true }),
    },
    { name: 'TCP port 443 only with a public side', a: [{ ...HOME, firewall: WEB_ONLY }], b: [] },
    { name: 'TCP port 443 only with EI/EI', a: [{ ...HOME, firewall: WEB_ONLY }], b: home('EI/EI') },
    {
      name: 'TCP port 443 only on both sides',
      a: [{ ...HOME, firewall: WEB_ONLY }],
      b: [{ ...HOME, firewall: WEB_ONLY }],
    },
    { name: 'nothing leaves with a public side', a: [{ ...HOME, firewall: SILENCE }], b: [] },
  ],

  'other NATs': [
    { name: 'EI/APD with APD/APD that keeps parity', a: [HOME], b: home('APD/APD', { portAllocation: 'parity' }) },
    {
      name: 'APD/APD that keeps ports and shares them, both',
      a: home('APD/APD', KEPT_AND_SHARED),
      b: home('APD/APD', KEPT_AND_SHARED),
    },
    {
      name: 'APD/APD with ports in sequence by 2, both',
      a: home('APD/APD', { portAllocation: { sequential: 2 } }),
      b: home('APD/APD', { portAllocation: { sequential: 2 } }),
    },
    {
      name: 'AD/AD that filters for each internal endpoint, both',
      a: home('AD/AD', { filterScope: 'internal-endpoint' }),
      b: home('AD/AD', { filterScope: 'internal-endpoint' }),
    },
    {
      name: 'EI/AD with AD/AD of two addresses, any for each mapping',
      a: home('EI/AD'),
      b: home('AD/AD', { pooling: 'arbitrary' }, ARBITRARY_POOL),
    },
    {
      name: "EI/APD that keeps ports and tracks strangers' packets, both",
      a: home('EI/APD', TRACKED),
      b: home('EI/APD', TRACKED),
    },
  ],
};
