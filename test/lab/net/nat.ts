import type { Dependence } from '../../../src/core/nat-behavior.ts';

/** A NAT in the words of RFC 4787 sections 4 and 5, as far as nftables can build it. Filtering is of UDP; TCP is always filtered by address and port. */
export interface NatSpec {
  /** Address-dependent mapping is not to be had from nftables. */
  readonly mapping: Exclude<Dependence, 'address-dependent' | 'unknown'>;
  readonly filtering: Exclude<Dependence, 'unknown'>;
  /**
   * External ports: kept as they are, or drawn from 1024..32767, below the ephemeral ports of the hosts. With
   * address-and-port-dependent mapping they are always random, from all ports.
   */
  readonly ports: 'preserved' | 'random';
  /** What the firewall in the NAT lets out; all by default. It drops in silence. */
  readonly firewall?: 'drops UDP' | 'only TCP 443 out';
}

/** The NATs that the tests speak of, by their short names: mapping / filtering. */
export const NATS = {
  'EI/EI': { mapping: 'endpoint-independent', filtering: 'endpoint-independent', ports: 'preserved' },
  'EI/AD': { mapping: 'endpoint-independent', filtering: 'address-dependent', ports: 'preserved' },
  'EI/APD': { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', ports: 'preserved' },
  'EI/APD, random ports': { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', ports: 'random' },
  'APD/EI': { mapping: 'address-and-port-dependent', filtering: 'endpoint-independent', ports: 'random' },
  'APD/AD': { mapping: 'address-and-port-dependent', filtering: 'address-dependent', ports: 'random' },
  'APD/APD': { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', ports: 'random' },
  'drops UDP': {
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    ports: 'preserved',
    firewall: 'drops UDP',
  },
  'only TCP 443 out': {
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    ports: 'preserved',
    firewall: 'only TCP 443 out',
  },
} as const satisfies Record<string, NatSpec>;

/**
 * The ruleset of a NAT between the devices `lan` and `wan`.
 *
 * Conntrack alone filters by address and port. The looser filters are a DNAT from `bindings` (external port -> internal
 * endpoint), which every packet on its way out keeps fresh, read after its source has been translated. Unsolicited packets to the
 * NAT itself are dropped before conntrack confirms them: an entry of theirs would take the port from a mapping made later. Where
 * the kernel has br_netfilter, what the bridge `lan` carries between hosts comes by here too.
 */
export function natRules({ mapping, filtering, ports, firewall }: NatSpec, lanAddress: string): string {
  if (mapping === 'address-and-port-dependent' && ports === 'preserved') {
    throw new RangeError('address-and-port-dependent mapping cannot preserve ports');
  }
  return `
table ip nat {
  map bindings { type inet_service : ipv4_addr . inet_service; flags dynamic, timeout; size 65536; timeout ${LIFETIME}; }
  set contacts { type inet_service . ipv4_addr; flags dynamic, timeout; size 65536; timeout ${LIFETIME}; }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ${ADMIT[filtering]}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ${mapping === 'endpoint-independent' ? TRANSLATE[ports] : 'oifname wan masquerade fully-random'}
  }
  chain learn {
    type filter hook postrouting priority srcnat + 10;
    oifname wan ct direction original update @bindings { udp sport : ct original ip saddr . ct original proto-src }
    oifname wan update @contacts { udp sport . ip daddr }
  }
}
table ip filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    iifname lan ip daddr { ${lanAddress}, 224.0.0.0/4 } accept
    ct state established,related accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${firewall === undefined ? '' : RESTRICT[firewall]}
    iifname lan oifname { lan, wan } accept
    iifname wan ct state established,related accept
    iifname wan ct status dnat accept
  }
}`;
}

/** Commands that make a NAT forget what it knows, as a reboot does. */
export const FORGET = ['conntrack -F', 'nft flush map ip nat bindings', 'nft flush set ip nat contacts'];

/** Of a mapping without traffic; at least two minutes (RFC 4787 section 4.3, REQ-5). */
const LIFETIME = '2m';

const ADMIT: Record<NatSpec['filtering'], string> = {
  'endpoint-independent': 'iifname wan dnat to udp dport map @bindings',
  'address-dependent': 'iifname wan udp dport . ip saddr @contacts dnat to udp dport map @bindings',
  'address-and-port-dependent': '',
};

const TRANSLATE: Record<NatSpec['ports'], string> = {
  preserved: 'oifname wan masquerade',
  random: 'oifname wan meta l4proto { tcp, udp } masquerade to :1024-32767\n    oifname wan masquerade',
};

const RESTRICT: Record<NonNullable<NatSpec['firewall']>, string> = {
  'drops UDP': 'meta l4proto udp drop',
  'only TCP 443 out': 'iifname lan tcp dport != 443 drop\n    iifname lan meta l4proto != tcp drop',
};
