/**
 * The ruleset of a stateful IPv6 firewall between the devices `lan` and `wan`, without NAT: what comes in must answer what went out,
 * by address and port (RFC 6092 section 3). Neighbour discovery is let through (RFC 4861).
 */
export const FIREWALL = `
table ip6 filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    meta l4proto ipv6-icmp accept
    ct state established,related accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname lan oifname { lan, wan } accept
    iifname wan ct state established,related accept
  }
}`;
