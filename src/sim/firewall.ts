import { type Endpoint, type Family, formatEndpoint } from '../core/endpoint.ts';
import { type FirewallRules, type FirewallSpec, readFirewallSpec } from './firewall-spec.ts';
import type { Middlebox, Ruling } from './middlebox.ts';
import { Filter } from './nat/filter.ts';
import { Session, type TransportPacket } from './nat/session.ts';
import { icmpPacket, type Packet, type TcpPacket, tcpPacket } from './packet.ts';
import { Pinholes } from './pinholes.ts';

export type { FirewallSpec } from './firewall-spec.ts';

/** A stateful firewall (RFC 6092): what the inside may send, and of the rest what answers it. */
export interface Firewall extends Middlebox {
  readonly rules: FirewallRules;
  /** Where strangers may come in, made by request. */
  readonly pinholes: Pinholes;
}

/** Errors: `ERR_USAGE` for a spec that makes no sense. */
export function createFirewall(spec: FirewallSpec): Firewall {
  return new FirewallEngine(readFirewallSpec(spec, 'firewall'));
}

class FirewallEngine implements Firewall {
  readonly rules: FirewallRules;
  readonly pinholes = new Pinholes();
  /** By protocol and internal endpoint. */
  readonly #filters = new Map<string, Filter>();
  /** All that the filters hold, the oldest first. */
  readonly #sessions = new Map<Session, { readonly of: string; readonly remote: Endpoint }>();
  #addresses: readonly string[] = [];
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(rules: FirewallRules) {
    this.rules = rules;
  }

  outbound(packet: Packet, now: number): Ruling {
    if (!this.#guards(packet)) return forward(packet);
    if (packet.protocol === 'icmp') {
      const { protocol, source, destination } = packet.about;
      return this.#session(protocol, destination, source, now) ? forward(packet) : drop('ICMP error about no flow');
    }
    if (!this.#mayLeave(packet)) return this.#refuse(packet);
    const standing = this.#session(packet.protocol, packet.source, packet.destination, now);
    if (standing === undefined && isStray(packet)) return drop('TCP segment of no connection');
    const session = standing ?? this.#open(packet.protocol, packet.source, packet.destination, now);
    if (session === undefined) return drop('firewall table full');
    session.sent(packet, now);
    return forward(packet);
  }

  inbound(packet: Packet, now: number): Ruling {
    if (!this.#guards(packet)) return forward(packet);
    if (this.#addresses.includes(packet.destination.address)) return { action: 'local' };
    if (packet.protocol === 'icmp') {
      const { protocol, source, destination } = packet.about;
      return this.#session(protocol, source, destination, now) ? forward(packet) : drop('ICMP error about no flow');
    }
    const { protocol, source: remote, destination: internal } = packet;
    const standing = this.#session(protocol, internal, remote, now);
    if (standing === undefined && (isStray(packet) || !this.#admits(packet, now))) return this.#refuse(packet);
    const session = standing ?? this.#open(protocol, internal, remote, now);
    if (session === undefined) return drop('firewall table full');
    session.received(packet, now);
    return forward(packet);
  }

  readdress(addresses: readonly string[]): void {
    this.#addresses = addresses;
  }

  reboot(): void {
    this.#filters.clear();
    this.#sessions.clear();
    this.pinholes.clear();
  }

  /** Sessions stay: it has no mappings that could change. */
  rebind(): void {}

  #guards({ source }: Packet): boolean {
    return (this.rules.families as readonly Family[]).includes(source.family);
  }

  #mayLeave({ protocol, destination }: TransportPacket): boolean {
    const { outbound } = this.rules;
    if (outbound === 'any') return true;
    return outbound.some(
      (rule) => rule.protocol === protocol && (rule.ports === 'any' || rule.ports.includes(destination.port)),
    );
  }

  #admits({ protocol, source, destination }: TransportPacket, now: number): boolean {
    if (this.rules.inbound === 'any' || this.pinholes.has(protocol, destination, now)) return true;
    const filter = this.#filters.get(key(protocol, destination));
    return filter?.admits(this.rules.filtering, source, now) === true;
  }

  #session(protocol: Protocol, internal: Endpoint, remote: Endpoint, now: number): Session | undefined {
    const session = this.#filters.get(key(protocol, internal))?.session(remote);
    return session?.isAlive(now) ? session : undefined;
  }

  /** `undefined` when the table is full. */
  #open(protocol: Protocol, internal: Endpoint, remote: Endpoint, now: number): Session | undefined {
    if (now - this.#sweptAt >= SWEEP_INTERVAL || this.#sessions.size >= this.rules.capacity) this.#sweep(now);
    if (this.#sessions.size >= this.rules.capacity) return undefined;
    const of = key(protocol, internal);
    const filter = this.#filters.get(of) ?? new Filter();
    this.#filters.set(of, filter);
    const session = new Session(this.rules, protocol, now);
    filter.add(remote, session);
    this.#sessions.set(session, { of, remote });
    return session;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [session, { of, remote }] of this.#sessions) {
      if (session.isAlive(now)) continue;
      this.#sessions.delete(session);
      const filter = this.#filters.get(of)!;
      filter.remove(remote, session);
      if (filter.isEmpty) this.#filters.delete(of);
    }
  }

  #refuse(packet: TransportPacket): Ruling {
    const reason = 'firewall';
    if (this.rules.refusal === 'drop') return { action: 'drop', reason };
    if (packet.protocol === 'tcp') return { action: 'reply', packet: reset(packet), reason };
    const error = icmpPacket(packet.destination.address, packet, 'administratively-prohibited');
    return { action: 'reply', packet: error, reason };
  }
}

type Protocol = TransportPacket['protocol'];

function key(protocol: Protocol, internal: Endpoint): string {
  return `${protocol} ${formatEndpoint(internal)}`;
}

/** A segment that neither belongs to a connection nor asks for one. */
function isStray(packet: TransportPacket): boolean {
  return packet.protocol === 'tcp' && !(packet.segment.syn && !packet.segment.ack);
}

/** What a host that has no such connection would answer (RFC 9293 section 3.5.2). */
function reset({ source, destination, segment }: TcpPacket): TcpPacket {
  if (segment.ack) return tcpPacket(destination, source, { rst: true, sequence: segment.acknowledgement });
  const length = segment.payload.length + (segment.syn ? 1 : 0) + (segment.fin ? 1 : 0);
  const acknowledgement = (segment.sequence + length) % 2 ** 32;
  return tcpPacket(destination, source, { rst: true, ack: true, acknowledgement });
}

function forward(packet: Packet): Ruling {
  return { action: 'forward', packet };
}

function drop(reason: string): Ruling {
  return { action: 'drop', reason };
}

/** ms of virtual time between looks for what has expired, which are taken as sessions are made. */
const SWEEP_INTERVAL = 1000;
