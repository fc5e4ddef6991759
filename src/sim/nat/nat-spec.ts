import type { Dependence } from '../../core/nat-behavior.ts';
import { Fields, usage } from '../fields.ts';
import {
  DEFAULT_UDP,
  REFRESH_DIRECTIONS,
  readUdpTimeouts,
  type SessionTimers,
  type TcpTimeouts,
  tcpTimeouts,
} from './session-timers.ts';

/** What mapping or filtering depends on (RFC 4787 sections 4.1 and 5). */
export type NatDependence = Exclude<Dependence, 'unknown'>;

/**
 * A NAT as people write it, in the words of RFC 4787 and RFC 5382: plain data. What is absent has its default, see
 * {@link readNatSpec}.
 */
export type NatSpec = Partial<Omit<NatRules, 'ports' | 'udp' | 'tcp'>> & {
  readonly ports?: Partial<NatRules['ports']>;
  readonly udp?: Partial<NatRules['udp']>;
  readonly tcp?: Partial<NatRules['tcp']>;
};

/** The same, complete. Times are in ms. */
export interface NatRules extends SessionTimers {
  /** Which flows of an internal endpoint share an external one (RFC 4787 section 4.1). */
  readonly mapping: NatDependence;
  /** Which remote endpoints may send to a mapping (RFC 4787 section 5). */
  readonly filtering: NatDependence;
  /**
   * What a filter looks at: only what was sent through the mapping that a packet comes to, or all that its internal
   * endpoint has sent. They differ where mapping is not endpoint-independent.
   */
  readonly filterScope: 'mapping' | 'internal-endpoint';
  readonly portAllocation: PortAllocation;
  /** External ports that the NAT gives out, ends included. */
  readonly ports: { readonly first: number; readonly last: number };
  /**
   * Whether mappings of several internal endpoints may have one external endpoint: `none` (RFC 4787 REQ-3);
   * `overlapping`, to different remote endpoints (RFC 7857 section 3); `overloading`, without condition: who sent last
   * gets what comes in (RFC 4787 section 4.2.1).
   */
  readonly portReuse: 'none' | 'overlapping' | 'overloading';
  /** Which of several external addresses a host gets: always the same one, or any for each mapping (RFC 4787 REQ-2). */
  readonly pooling: 'paired' | 'arbitrary';
  /** What a host sees as the source of what another sends it by way of the NAT's outside (RFC 4787 REQ-9); `none`: it is dropped. */
  readonly hairpin: 'none' | 'external-source' | 'internal-source';
  /**
   * Whether a UDP packet that is let in pins its flow to the mapping that it came to, so that the answer goes out
   * there. A flow that stands already stays where it is. TCP connections are always pinned.
   */
  readonly pinning: boolean;
  /**
   * What becomes of a packet that is let in while a flow between the same internal and remote endpoints stands on another
   * mapping, which can be where mapping is not endpoint-independent: it passes, and its answers leave by that flow; or the inside
   * sees it from another, random source port, so that its answers leave from where it came in. Linux conntrack pins and renumbers.
   */
  readonly clashes: 'passed' | 'renumbered';
  /**
   * Whether packets that are not let in leave a trace, as Linux conntrack has it where they are not dropped by a
   * rule: for as long as an unanswered session, no mapping can send from where they went to where they came from.
   */
  readonly unsolicited: 'ignored' | 'tracked';
  /** Whether ICMP errors about flows are translated and passed (RFC 4787 REQ-12, RFC 5382 REQ-9). */
  readonly icmpErrors: boolean;
  readonly tcp: TcpTimeouts & {
    /** Whether a SYN may answer a SYN (RFC 5382 REQ-2). */
    readonly simultaneousOpen: boolean;
    /** What a SYN that is not let in gets: nothing, RST, or an ICMP error after 6 s unless a SYN goes out (RFC 5382 REQ-4). */
    readonly unsolicitedSyn: 'drop' | 'reset' | 'wait';
    /**
     * Whether a segment from inside, of a connection that the NAT does not know, makes a mapping, as with netfilter's
     * `nf_conntrack_tcp_loose`: so a connection lives on after a reboot where it keeps its port, and else learns from the other
     * side's RST that it is over. Without, such segments are dropped.
     */
    readonly pickUp: boolean;
  };
  /** Sessions, 1..1,000,000; more are refused. */
  readonly capacity: number;
}

/**
 * Which external port a mapping gets (RFC 4787 section 4.2). `preserve`: the internal one where it is free, else a
 * random one; `parity`: a random one, odd or even as the internal one; `sequential`: the last plus this delta, of those that
 * are free, on each external address and for each protocol; a delta of 2 uses every second port.
 */
export type PortAllocation = 'preserve' | 'parity' | 'random' | { readonly sequential: number };

/**
 * Checks and completes plain data. Defaults are what RFC 4787 and RFC 5382 ask of a NAT that filters: endpoint-independent
 * mapping, address-and-port-dependent filtering for each mapping, random ports 1024..65535, each of one mapping only, paired
 * pooling, hairpinning with external source, no pinning, clashes passed, 5 minutes for UDP, refreshed from the inside, 4 minutes and 2 hours 4
 * minutes for TCP, unsolicited SYNs held for 6 s, no connection picked up, 65,536 sessions. Errors: `ERR_USAGE` with the field's path, which begins
 * with `path`.
 */
export function readNatSpec(value: unknown, path: string): NatRules {
  const fields = new Fields(value, path, NAT_FIELDS);
  const ports = fields.nested('ports', readPorts) ?? ALL_PORTS;
  return {
    mapping: fields.oneOf('mapping', DEPENDENCES) ?? 'endpoint-independent',
    filtering: fields.oneOf('filtering', DEPENDENCES) ?? 'address-and-port-dependent',
    filterScope: fields.oneOf('filterScope', ['mapping', 'internal-endpoint']) ?? 'mapping',
    portAllocation: fields.nested('portAllocation', readAllocation) ?? 'random',
    ports,
    portReuse: fields.oneOf('portReuse', ['none', 'overlapping', 'overloading']) ?? 'none',
    pooling: fields.oneOf('pooling', ['paired', 'arbitrary']) ?? 'paired',
    hairpin: fields.oneOf('hairpin', ['none', 'external-source', 'internal-source']) ?? 'external-source',
    pinning: fields.boolean('pinning') ?? false,
    clashes: fields.oneOf('clashes', ['passed', 'renumbered']) ?? 'passed',
    unsolicited: fields.oneOf('unsolicited', ['ignored', 'tracked']) ?? 'ignored',
    icmpErrors: fields.boolean('icmpErrors') ?? true,
    refresh: fields.oneOf('refresh', REFRESH_DIRECTIONS) ?? 'outbound',
    udp: fields.nested('udp', readUdpTimeouts) ?? DEFAULT_UDP,
    tcp: fields.nested('tcp', readTcp) ?? readTcp({}, fields.at('tcp')),
    capacity: fields.integer('capacity', CAPACITY) ?? DEFAULT_CAPACITY,
  };
}

function readPorts(value: unknown, path: string): NatRules['ports'] {
  const fields = new Fields(value, path, ['first', 'last']);
  const first = fields.integer('first', PORT) ?? ALL_PORTS.first;
  const last = fields.integer('last', PORT) ?? ALL_PORTS.last;
  if (last < first) throw usage(fields.at('last'), `must be at least ${first}, the first`);
  return { first, last };
}

function readAllocation(value: unknown, path: string): PortAllocation {
  if (value === 'preserve' || value === 'parity' || value === 'random') return value;
  if (typeof value === 'string')
    throw usage(path, 'must be one of preserve, parity, random, or { sequential: <delta> }');
  const fields = new Fields(value, path, ['sequential']);
  return { sequential: fields.required('sequential', fields.integer('sequential', { min: 1, max: 1024 })) };
}

function readTcp(value: unknown, path: string): NatRules['tcp'] {
  const fields = new Fields(value, path, ['transitory', 'established', 'simultaneousOpen', 'unsolicitedSyn', 'pickUp']);
  return {
    ...tcpTimeouts(fields),
    simultaneousOpen: fields.boolean('simultaneousOpen') ?? true,
    unsolicitedSyn: fields.oneOf('unsolicitedSyn', ['drop', 'reset', 'wait']) ?? 'wait',
    pickUp: fields.boolean('pickUp') ?? false,
  };
}

export const DEPENDENCES: readonly NatDependence[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];

/** Sessions that a table may be made for, and is made for by default. */
export const CAPACITY = { min: 1, max: 1_000_000 };
export const DEFAULT_CAPACITY = 65_536;

/** Without the system ports (RFC 6335 section 6). */
const ALL_PORTS = { first: 1024, last: 65_535 };
const PORT = { min: 1, max: 65_535 };

const NAT_FIELDS: readonly (keyof NatRules)[] = [
  'mapping',
  'filtering',
  'filterScope',
  'portAllocation',
  'ports',
  'portReuse',
  'pooling',
  'hairpin',
  'pinning',
  'clashes',
  'unsolicited',
  'icmpErrors',
  'refresh',
  'udp',
  'tcp',
  'capacity',
];
