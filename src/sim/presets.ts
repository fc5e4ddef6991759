import type { FirewallSpec } from './firewall.ts';
import type { GatewaySpec } from './gateway/gateway-spec.ts';
import type { NatSpec } from './nat/nat-spec.ts';
import type { NetworkSpec } from './plan.ts';

/** What stands between a host and the internet, under a name that people know. */
export interface Preset {
  /** One line for people. */
  readonly title: string;
  /** Of the network below the internet first, of the host's own network last; none: the host is on the internet. */
  readonly networks: readonly PresetNetwork[];
}

/** Of a plan, but for a name and a place. */
export type PresetNetwork = Pick<NetworkSpec, 'nat' | 'firewall' | 'gateway' | 'ipv4' | 'isolated'>;

export type PresetName =
  | 'public'
  | 'home-router'
  | 'linux'
  | 'carrier'
  | 'hotel-wifi'
  | 'corporate-firewall'
  | 'mobile-network';

/**
 * A gateway as sold for homes: ports kept where free, endpoint-independent mapping, address-and-port-dependent filtering (B.
 * Ford et al., "Peer-to-Peer Communication across Network Address Translators", USENIX 2005). UDP timeouts are as short as
 * 30 s where nothing came back and minutes where something did, and many devices end TCP before the 124 minutes of RFC 5382
 * (S. Hätönen et al., "An Experimental Study of Home Gateway Characteristics", IMC 2010, 34 devices).
 */
const HOME_ROUTER: NatSpec = {
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  portAllocation: 'preserve',
  hairpin: 'external-source',
  refresh: 'both',
  udp: { unanswered: 30_000, answered: 180_000 },
  tcp: { established: 3_600_000, unsolicitedSyn: 'drop' },
};

/** What port mappers of games and file sharing rely on. How many routers speak what is an assumption: no survey is known to us. */
const HOME_GATEWAY: GatewaySpec = { upnp: 1, natPmp: true };

/**
 * Netfilter with MASQUERADE and a rule that drops what comes in unasked: ports kept, and shared by flows to different
 * ends; each flow stays where its first packet put it, and one that would look like another inside is renumbered. No
 * hairpinning without rules of its own. Timeouts of the kernel's Documentation/networking/nf_conntrack-sysctl.rst: UDP 30 and
 * 120 s, TCP 120 s (SYN sent, FIN wait) and 5 days; connections that it does not know are picked up.
 */
const LINUX: NatSpec = {
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  portAllocation: 'preserve',
  portReuse: 'overlapping',
  hairpin: 'none',
  pinning: true,
  clashes: 'renumbered',
  refresh: 'both',
  udp: { unanswered: 30_000, answered: 120_000 },
  tcp: { transitory: 120_000, established: 432_000_000, unsolicitedSyn: 'drop', pickUp: true },
};

/**
 * A carrier-grade NAT as RFC 6888 asks for: endpoint-independent mapping by RFC 4787, endpoint-independent filtering (REQ-7), one
 * external address a subscriber of several (REQ-2), hairpinning, random ports (RFC 7857 section 10).
 */
const CARRIER: NatSpec = {
  mapping: 'endpoint-independent',
  filtering: 'endpoint-independent',
  portAllocation: 'random',
  pooling: 'paired',
  hairpin: 'external-source',
  udp: { unanswered: 120_000, answered: 300_000 },
};

/**
 * Guest networks are the hardest common case; no survey is known to us. This is netfilter's MASQUERADE with
 * `--random-fully`, so a new random port for each remote endpoint, without hairpinning, and guests kept from each other.
 */
const HOTEL: NatSpec = { ...LINUX, mapping: 'address-and-port-dependent', portAllocation: 'random', portReuse: 'none' };

/**
 * An office's NAT: address-and-port-dependent in both (the "symmetric" NAT of RFC 3489 section 5), with RST for what was not
 * asked for. The timeouts are assumptions.
 */
const CORPORATE: NatSpec = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  portAllocation: 'random',
  hairpin: 'none',
  udp: { unanswered: 30_000, answered: 60_000 },
  tcp: { simultaneousOpen: false, unsolicitedSyn: 'reset' },
};

/**
 * Only the web leaves, and the rest is refused: what TURN over TCP and TLS is for (RFC 8835 section 3.4), here on port 443.
 */
const WEB_ONLY: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: [80, 443] }], refusal: 'reject' };

/**
 * The NAT of a mobile carrier: mapping that depends on the remote endpoint, which is more common there than in fixed networks,
 * and short UDP timeouts (P. Richter et al., "A Multi-perspective Analysis of Carrier-Grade NAT Deployment", IMC 2016).
 */
const MOBILE: NatSpec = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  portAllocation: 'random',
  pooling: 'paired',
  hairpin: 'none',
  udp: { unanswered: 30_000, answered: 60_000 },
  tcp: { unsolicitedSyn: 'drop' },
};

/** Shared address space between subscribers and their carrier's NAT (RFC 6598). */
const CARRIER_SPACE = '100.64.0.0/10';

export const presets: Readonly<Record<PresetName, Preset>> = {
  public: { title: 'no NAT and no firewall', networks: [] },
  'home-router': {
    title: 'a home router that maps ports on request (EI/APD)',
    networks: [{ nat: HOME_ROUTER, gateway: HOME_GATEWAY }],
  },
  linux: { title: 'a Linux router with masquerading (EI/APD)', networks: [{ nat: LINUX }] },
  carrier: {
    title: "a home router behind a carrier's NAT (EI/APD behind EI/EI)",
    networks: [
      { nat: CARRIER, ipv4: CARRIER_SPACE, isolated: true },
      { nat: HOME_ROUTER, gateway: HOME_GATEWAY },
    ],
  },
  'hotel-wifi': {
    title: 'guest Wi-Fi (APD/APD, guests kept apart)',
    networks: [{ nat: HOTEL, isolated: true }],
  },
  'corporate-firewall': {
    title: 'an office that lets out TCP to ports 80 and 443 only (APD/APD)',
    networks: [{ nat: CORPORATE, firewall: WEB_ONLY }],
  },
  'mobile-network': {
    title: 'a mobile network (APD/APD)',
    networks: [{ nat: MOBILE, ipv4: CARRIER_SPACE, isolated: true }],
  },
};
