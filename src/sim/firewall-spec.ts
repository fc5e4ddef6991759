import type { Family } from '../core/endpoint.ts';
import { Fields, usage } from './fields.ts';
import { CAPACITY, DEFAULT_CAPACITY, DEPENDENCES, type NatDependence } from './nat/nat-spec.ts';
import {
  DEFAULT_TCP,
  DEFAULT_UDP,
  REFRESH_DIRECTIONS,
  readTcpTimeouts,
  readUdpTimeouts,
  type SessionTimers,
} from './nat/session-timers.ts';

/** A firewall as people write it: plain data. What is absent has its default, see {@link readFirewallSpec}. */
export type FirewallSpec = Partial<Omit<FirewallRules, 'udp' | 'tcp'>> & {
  readonly udp?: Partial<FirewallRules['udp']>;
  readonly tcp?: Partial<FirewallRules['tcp']>;
};

/** The same, complete. Times are in ms. */
export interface FirewallRules extends SessionTimers {
  /** Whose packets it looks at; those of another family pass. */
  readonly families: readonly Family[];
  /** What may leave. */
  readonly outbound: 'any' | readonly OutboundRule[];
  /** What may come in: what was not asked for too, or only what `filtering` takes for an answer. */
  readonly inbound: 'answers' | 'any';
  /** Who may answer what left, in the words of RFC 4787 section 5 (RFC 6092 REC-18). */
  readonly filtering: NatDependence;
  /** What those get that may not pass: nothing, or RST and ICMP errors. */
  readonly refusal: 'drop' | 'reject';
  /** Sessions, 1..1,000,000; more are refused. */
  readonly capacity: number;
}

/** Packets that may leave: of a protocol, to some ports or all. */
export interface OutboundRule {
  readonly protocol: 'udp' | 'tcp';
  readonly ports: 'any' | readonly number[];
}

/**
 * Checks and completes plain data. Defaults are a firewall that lets all out and only answers in: both families,
 * address-and-port-dependent filtering, silence for the rest, and the timers of a NAT, refreshed from both sides. Errors:
 * `ERR_USAGE` with the field's path, which begins with `path`.
 */
export function readFirewallSpec(value: unknown, path: string): FirewallRules {
  const fields = new Fields(value, path, FIREWALL_FIELDS);
  return {
    families: fields.list('families', readFamily) ?? [4, 6],
    outbound: fields.raw('outbound') === 'any' ? 'any' : (fields.list('outbound', readOutboundRule) ?? 'any'),
    inbound: fields.oneOf('inbound', ['answers', 'any']) ?? 'answers',
    filtering: fields.oneOf('filtering', DEPENDENCES) ?? 'address-and-port-dependent',
    refusal: fields.oneOf('refusal', ['drop', 'reject']) ?? 'drop',
    refresh: fields.oneOf('refresh', REFRESH_DIRECTIONS) ?? 'both',
    udp: fields.nested('udp', readUdpTimeouts) ?? DEFAULT_UDP,
    tcp: fields.nested('tcp', readTcpTimeouts) ?? DEFAULT_TCP,
    capacity: fields.integer('capacity', CAPACITY) ?? DEFAULT_CAPACITY,
  };
}

function readFamily(value: unknown, path: string): Family {
  if (value !== 4 && value !== 6) throw usage(path, 'must be 4 or 6');
  return value;
}

function readOutboundRule(value: unknown, path: string): OutboundRule {
  const fields = new Fields(value, path, ['protocol', 'ports']);
  return {
    protocol: fields.required('protocol', fields.oneOf('protocol', ['udp', 'tcp'])),
    ports: fields.raw('ports') === 'any' ? 'any' : fields.required('ports', fields.list('ports', readPort)),
  };
}

function readPort(value: unknown, path: string): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_535) {
    throw usage(path, 'must be a port, 1..65535');
  }
  return value as number;
}

const FIREWALL_FIELDS: readonly (keyof FirewallRules)[] = [
  'families',
  'outbound',
  'inbound',
  'filtering',
  'refusal',
  'refresh',
  'udp',
  'tcp',
  'capacity',
];
