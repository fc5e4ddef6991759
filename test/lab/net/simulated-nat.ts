import type { FirewallSpec, NetworkSpec, NatSpec as SimulatedNatSpec } from '../../../src/sim/index.ts';
import type { NatSpec } from './nat.ts';

/** The router of the simulated internet that does what {@link natRules} makes of the kernel: its NAT, and its firewall if it has one. */
export function simulatedRouter(spec: NatSpec): Pick<NetworkSpec, 'nat' | 'firewall'> {
  return { nat: simulatedNat(spec), ...(spec.firewall && { firewall: FIREWALLS[spec.firewall] }) };
}

/**
 * What conntrack and the rules of the lab's NAT mean in the words of the simulator.
 *
 * - Filters look at external ports (`contacts`, `bindings`), so they belong to the mapping.
 * - Masquerading keeps the port where it is free, and takes one for flows to different ends as long as no two look the same from
 *   outside; `fully-random` draws from all ports for each flow. Without a range, unprivileged ports stay unprivileged (`nf_nat_core.c`).
 * - An answer goes where its flow does: a packet that was let in by DNAT has made an entry, and pins it. Where another flow of the same
 *   ends has one already, the newcomer's source port is changed, so that no two entries are the same inside (`nf_nat_core.c`).
 * - What is not let in is dropped before it is confirmed, and leaves no trace; so are SYNs.
 * - DNAT is for what comes in from outside: no hairpinning.
 * - Timeouts are the kernel's defaults (Documentation/networking/nf_conntrack-sysctl.rst), fresh with every packet either way.
 *
 * The simulator filters TCP as it does UDP; the lab's NATs filter it by address and port, always.
 */
function simulatedNat({ mapping, filtering, ports }: NatSpec): SimulatedNatSpec {
  return {
    mapping,
    filtering,
    filterScope: 'mapping',
    portAllocation: ports === 'preserved' ? 'preserve' : 'random',
    ports: { first: 1024, last: mapping === 'endpoint-independent' && ports === 'random' ? 32_767 : 65_535 },
    portReuse: 'overlapping',
    hairpin: 'none',
    pinning: true,
    clashes: 'renumbered',
    unsolicited: 'ignored',
    refresh: 'both',
    udp: { unanswered: 30_000, answered: 120_000 },
    tcp: {
      transitory: 120_000,
      established: 432_000_000,
      simultaneousOpen: true,
      unsolicitedSyn: 'drop',
      pickUp: true,
    },
  };
}

/** They look at what leaves; answers to it come in. */
const FIREWALLS: Record<NonNullable<NatSpec['firewall']>, FirewallSpec> = {
  'drops UDP': { outbound: [{ protocol: 'tcp', ports: 'any' }], inbound: 'any' },
  'only TCP 443 out': { outbound: [{ protocol: 'tcp', ports: [443] }], inbound: 'any' },
};
