import type { Endpoint } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';
import { type Random, randomInteger } from '../../core/random.ts';
import type { Middlebox, Ruling } from '../middlebox.ts';
import { type Packet, type TcpPacket, tcpPacket, withHeader } from '../packet.ts';
import { createExplicitMappings, type ExplicitMappingBook, type ExplicitMappings } from './explicit-mappings.ts';
import { HeldSyns } from './held-syns.ts';
import { inboundError, outboundError } from './icmp-errors.ts';
import type { Flow, Mapping } from './mapping.ts';
import { type Allocation, MappingAllocator } from './mapping-allocator.ts';
import { MappingTable } from './mapping-table.ts';
import { type NatRules, type NatSpec, readNatSpec } from './nat-spec.ts';
import { isInMidstream, type TransportPacket } from './session.ts';
import { TurnedAway } from './turned-away.ts';

/** A NAT of IPv4 (RFC 4787, RFC 5382, RFC 5508): packets in, rulings out, nothing taken by itself but chance. */
export interface Nat extends Middlebox {
  readonly rules: NatRules;
  /** Mappings made by request, for gateways that speak UPnP, NAT-PMP or PCP. */
  readonly explicit: ExplicitMappings;
  /** External addresses, those that `readdress` told. */
  readonly addresses: readonly string[];
  /** What stands, the oldest first. */
  mappings(now: number): readonly NatMapping[];
}

/** A mapping as plain data. */
export interface NatMapping {
  readonly protocol: 'udp' | 'tcp';
  readonly internal: Endpoint;
  readonly external: Endpoint;
  /** Of flows that stand. */
  readonly remotes: readonly Endpoint[];
  readonly isExplicit: boolean;
}

/** Without external addresses until `readdress` tells some. Errors: `ERR_USAGE` for a spec that makes no sense. */
export function createNat(spec: NatSpec, random: Random): Nat {
  return new NatEngine(readNatSpec(spec, 'nat'), random);
}

class NatEngine implements Nat {
  readonly rules: NatRules;
  readonly explicit: ExplicitMappingBook;
  readonly #table: MappingTable;
  readonly #allocator: MappingAllocator;
  readonly #turnedAway: TurnedAway;
  readonly #heldSyns = new HeldSyns();
  readonly #random: Random;

  constructor(rules: NatRules, random: Random) {
    this.rules = rules;
    this.#random = random;
    this.#table = new MappingTable(rules);
    this.#turnedAway = new TurnedAway(rules);
    this.#allocator = new MappingAllocator(rules, random, this.#table, this.#turnedAway);
    this.explicit = createExplicitMappings(this.#table, this.#allocator);
  }

  get addresses(): readonly string[] {
    return this.#allocator.addresses;
  }

  get wakeAt(): number | undefined {
    return this.#heldSyns.wakeAt;
  }

  poll(now: number): readonly Packet[] {
    return this.#heldSyns.poll(now);
  }

  outbound(packet: Packet, now: number): Ruling {
    if (packet.source.family === 6 || this.#isOwn(packet.source)) return { action: 'forward', packet };
    if (packet.protocol === 'icmp') {
      const error = this.rules.icmpErrors ? outboundError(packet, this.#table, now) : undefined;
      if (error === undefined) return drop('ICMP error about no flow');
      return this.#isOwn(error.destination) ? this.inbound(error, now) : { action: 'forward', packet: error };
    }
    if (this.#isOwn(packet.destination)) return this.#hairpin(packet, now);
    const flow = this.#flowOut(packet, now);
    if (typeof flow === 'string') return drop(flow);
    return { action: 'forward', packet: withHeader(packet, flow.mapping.external, flow.remote) };
  }

  inbound(packet: Packet, now: number): Ruling {
    if (packet.source.family === 6) return { action: 'forward', packet };
    if (!this.#isOwn(packet.destination)) return drop('not to an external address');
    if (packet.protocol === 'icmp') {
      const error = inboundError(packet, this.#table, now);
      if (error === undefined) return { action: 'local' };
      return this.rules.icmpErrors ? { action: 'forward', packet: error } : drop('ICMP error');
    }
    const admitted = this.#admit(packet, now);
    if (admitted === undefined) return this.#turnAway(packet, now);
    const { mapping, seenAs } = admitted;
    return { action: 'forward', packet: withHeader(packet, seenAs, mapping.internal) };
  }

  readdress(addresses: readonly string[], now: number): void {
    this.#allocator.addresses = addresses.filter((address) => parseIp(address)?.family === 4);
    for (const mapping of [...this.#table.mappings(now)]) {
      if (!this.#isOwn(mapping.external)) this.explicit.move(mapping, now);
    }
  }

  reboot(): void {
    this.#table.clear();
    this.#allocator.reset();
    this.#turnedAway.clear();
    this.#heldSyns.clear();
  }

  rebind(now: number): void {
    for (const mapping of [...this.#table.mappings(now)]) {
      if (!mapping.isLeased(now)) this.#table.remove(mapping);
    }
  }

  mappings(now: number): readonly NatMapping[] {
    return Array.from(this.#table.mappings(now), (mapping) => ({
      protocol: mapping.protocol,
      internal: mapping.internal,
      external: mapping.external,
      remotes: [...mapping.flows].filter(({ session }) => session.isAlive(now)).map(({ remote }) => remote),
      isExplicit: mapping.isLeased(now),
    }));
  }

  #isOwn({ address }: Endpoint): boolean {
    return this.#allocator.addresses.includes(address);
  }

  /** The flow that the packet leaves by, or why it does not. */
  #flowOut(packet: TransportPacket, now: number): Flow | string {
    const { protocol, source, destination } = packet;
    const standing = this.#table.flow(protocol, source, destination, now);
    if (standing === undefined && !this.#mayBegin(packet)) return 'TCP segment of no connection';
    const flow = standing ?? this.#allocator.open(packet, now);
    if (typeof flow === 'string') return REFUSALS[flow];
    flow.session.sent(packet, now);
    if (this.rules.portReuse === 'overloading') this.#table.claim(flow);
    if (isSyn(packet)) this.#heldSyns.release(flow.mapping.external, destination);
    return flow;
  }

  /** Whether the packet may be the first from inside that the NAT sees of its flow. */
  #mayBegin(packet: TransportPacket): boolean {
    if (packet.protocol === 'udp') return true;
    const { segment } = packet;
    return isSyn(packet) || (this.rules.tcp.pickUp && isInMidstream(segment));
  }

  /** A packet from the inside to one of the NAT's own addresses (RFC 4787 section 6). */
  #hairpin(packet: TransportPacket, now: number): Ruling {
    if (this.#table.mappingsAt(packet.protocol, packet.destination, now).length === 0) return { action: 'local' };
    if (this.rules.hairpin === 'none') return drop('no hairpinning');
    const flow = this.#flowOut(packet, now);
    if (typeof flow === 'string') return drop(flow);
    const ruling = this.inbound({ ...packet, source: flow.mapping.external }, now);
    if (ruling.action !== 'forward' || this.rules.hairpin === 'external-source') return ruling;
    return { action: 'forward', packet: { ...ruling.packet, source: packet.source } };
  }

  /** The mapping by which a packet from outside comes in, if it may (RFC 4787 section 5), and from where it seems to come. */
  #admit(packet: TransportPacket, now: number): Admitted | undefined {
    const { protocol, source: remote, destination: external } = packet;
    const flow = this.#table.flowAt(protocol, external, remote, now);
    if (flow !== undefined) return this.#receive(flow, packet, now);
    if (packet.protocol === 'tcp' && !isSyn(packet)) return undefined;
    const mapping = this.#table
      .mappingsAt(protocol, external, now)
      .findLast((mapping) => mapping.isLeased(now) || this.#passesFilter(mapping, remote, now));
    if (mapping === undefined) return undefined;
    const isPinned = this.rules.pinning || protocol === 'tcp';
    const isClash = isPinned && this.#table.flow(protocol, mapping.internal, remote, now) !== undefined;
    if (isPinned && (!isClash || this.rules.clashes === 'renumbered')) {
      const seenAs = isClash ? this.#renumber(mapping, remote, now) : remote;
      if (seenAs === undefined || this.#table.isFull(now)) return undefined;
      return this.#receive(this.#table.open(mapping, remote, now, seenAs), packet, now);
    }
    if (this.rules.refresh !== 'outbound') mapping.hold(now + this.rules.udp.answered);
    return { mapping, seenAs: remote };
  }

  /** The remote endpoint with another port, by which the inside knows no flow yet; `undefined` when none was found. */
  #renumber({ protocol, internal }: Mapping, remote: Endpoint, now: number): Endpoint | undefined {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const seenAs = { ...remote, port: ANY_PORT.first + randomInteger(this.#random, ANY_PORT.count) };
      if (this.#table.flow(protocol, internal, seenAs, now) === undefined) return seenAs;
    }
    return undefined;
  }

  /** A mapping that lives lets all in when filtering is endpoint-independent. */
  #passesFilter(mapping: Mapping, remote: Endpoint, now: number): boolean {
    const { filtering } = this.rules;
    return filtering === 'endpoint-independent' || mapping.filter.admits(filtering, remote, now);
  }

  #receive({ mapping, seenAs, session }: Flow, packet: TransportPacket, now: number): Admitted | undefined {
    if (!this.rules.tcp.simultaneousOpen && isSyn(packet) && session.isOpening) return undefined;
    session.received(packet, now);
    return { mapping, seenAs };
  }

  #turnAway(packet: TransportPacket, now: number): Ruling {
    const { protocol, source, destination } = packet;
    this.#turnedAway.note(protocol, destination, source, now);
    if (isSyn(packet)) return this.#refuseSyn(packet, now);
    return this.#table.mappingsAt(protocol, destination, now).length === 0 ? { action: 'local' } : drop('filtered');
  }

  /** RFC 5382 section 4.3. */
  #refuseSyn(syn: TcpPacket, now: number): Ruling {
    const { unsolicitedSyn } = this.rules.tcp;
    if (unsolicitedSyn === 'reset') {
      const acknowledgement = (syn.segment.sequence + 1) % 2 ** 32;
      const packet = tcpPacket(syn.destination, syn.source, { rst: true, ack: true, acknowledgement });
      return { action: 'reply', packet, reason: 'unsolicited SYN' };
    }
    if (unsolicitedSyn === 'wait') this.#heldSyns.hold(syn, now);
    return drop('unsolicited SYN');
  }
}

/** How a packet comes in: by which mapping, and what the inside takes for its source. */
type Admitted = Pick<Flow, 'mapping' | 'seenAs'>;

/** A segment that asks for a connection, and does not answer one that does. */
function isSyn(packet: TransportPacket): packet is TcpPacket {
  return packet.protocol === 'tcp' && packet.segment.syn && !packet.segment.ack;
}

function drop(reason: string): Ruling {
  return { action: 'drop', reason };
}

/** Without the system ports (RFC 6335 section 6). */
const ANY_PORT = { first: 1024, count: 64_512 };

/** As many as `nf_nat_core.c` makes. */
const MAX_TRIES = 128;

const REFUSALS: Readonly<Record<Exclude<Allocation, Flow>, string>> = {
  full: 'NAT table full',
  exhausted: 'no external port left',
  unaddressed: 'no external address',
};
