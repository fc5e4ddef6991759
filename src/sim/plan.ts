import type { FirewallSpec } from './firewall.ts';
import type { GatewaySpec } from './gateway/gateway-spec.ts';
import type { LinkSpec } from './link-spec.ts';
import type { NatSpec } from './nat/nat-spec.ts';
import type { ServiceSpec } from './services/service.ts';

/**
 * A simulated internet as plain data (JSON): what `internet()` is built from, and what it can be asked for. Every
 * network and every host has a name of its own. Times are in ms of virtual time.
 */
export interface InternetPlan {
  /** Of all chance: the same plan with the same seed runs the same way. */
  readonly seed: number | string;
  /** Each after the one that is above it. */
  readonly networks?: readonly NetworkPlan[];
  readonly hosts?: readonly HostPlan[];
  readonly events?: readonly PlannedEvent[];
}

/** The name of the network at the top: the public internet. */
export const INTERNET = 'internet';

/** A network and the router that joins it to the one above. */
export interface NetworkPlan extends NetworkSpec {
  readonly name: string;
  /** Name of the network above: `internet` by default. */
  readonly above?: string;
}

export interface NetworkSpec {
  /** Address translation in the router, IPv4 only; absent: none, and the network's addresses are reached from above. */
  readonly nat?: NatSpec;
  /** Filter in the router, for both families; it sees the inside's own addresses. */
  readonly firewall?: FirewallSpec;
  /** By what its router maps ports for hosts of the network that ask; absent: by nothing. Takes a NAT, or for PCP a firewall. */
  readonly gateway?: GatewaySpec;
  /**
   * Prefix of the network, /8 to /29; `false` for none. Default: 192.168.1.0/24 behind a NAT, else a /24 that is free. The
   * router has its first address; hosts without an address of their own get those from the 100th on.
   */
  readonly ipv4?: string | false;
  /** The same for IPv6, a /64; `true` for one that is free. None by default. Where there is one, the network above has one too. */
  readonly ipv6?: string | boolean;
  /** Addresses of the router in the network above, the pool of its NAT; default: one that is free, of each family that is needed. */
  readonly external?: readonly string[];
  /** Between router and network above; default: 20 ms each way. */
  readonly uplink?: LinkSpec;
  /** Hosts hear the router only, not each other, as with client isolation and on most carriers' access networks. */
  readonly isolated?: boolean;
}

export interface HostPlan extends HostSpec {
  readonly name: string;
  /** Where it is attached, the preferred way out first; at least one. */
  readonly interfaces: readonly InterfacePlan[];
}

export interface HostSpec {
  /** Answers nothing on ports where no socket is, as desktop firewalls do; default false. */
  readonly stealth?: boolean;
  /** More names by which every host can resolve its addresses on the internet; `name` is one already. */
  readonly aliases?: readonly string[];
  /** What it serves to others, whenever it is on. */
  readonly services?: readonly ServiceSpec[];
}

export interface InterfacePlan extends AttachmentSpec {
  /** Name of the network. */
  readonly network: string;
}

export interface AttachmentSpec {
  /** Of the host there; default: one of each family that the network has. */
  readonly addresses?: readonly string[];
  /** Between host and network; default: no delay inside a network, 20 ms each way on the internet. */
  readonly link?: LinkSpec;
}

/** What happens to the world by itself. */
export type PlannedEvent = { readonly at: number } & WorldEvent;

export type WorldEvent =
  /** The router of a network loses power: its NAT forgets everything; it is back after `downFor` ms (default 0). */
  | { readonly type: 'reboot'; readonly network: string; readonly downFor?: number }
  /** The NAT of a network forgets its mappings, and keeps the explicit ones. */
  | { readonly type: 'rebind'; readonly network: string }
  /** The router of a network gets other addresses above; default: one IPv4 address that is free. */
  | { readonly type: 'readdress'; readonly network: string; readonly external?: readonly string[] }
  /** A host leaves a network for another (Wi-Fi to mobile); its addresses there are gone. */
  | ({ readonly type: 'roam'; readonly host: string; readonly from: string; readonly to: string } & AttachmentSpec)
  /** A host's link to a network, or without `host` the uplink of the network, goes down or comes up again. */
  | { readonly type: 'link'; readonly state: 'down' | 'up'; readonly network: string; readonly host?: string }
  /** A host loses its sockets and connections; it is back after `downFor` ms (default 0). */
  | { readonly type: 'restart'; readonly host: string; readonly downFor?: number }
  /**
   * Others behind the NAT of a network open `rate` mappings a second, by packets to addresses all over the internet, for
   * `lasts` ms: background churn.
   */
  | { readonly type: 'churn'; readonly network: string; readonly rate: number; readonly lasts: number };
