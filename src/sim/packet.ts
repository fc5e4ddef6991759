import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';

/** An IP packet of the simulated internet. Never changed once made: whoever forwards or translates makes another. */
export type Packet = UdpPacket | TcpPacket | IcmpPacket;

interface IpHeader {
  readonly source: Endpoint;
  /** Of the same family as `source`. */
  readonly destination: Endpoint;
  /** IPv4 time to live, IPv6 hop limit, 1..255. */
  readonly ttl: number;
}

export interface UdpPacket extends IpHeader {
  readonly protocol: 'udp';
  readonly payload: Uint8Array;
}

export interface TcpPacket extends IpHeader {
  readonly protocol: 'tcp';
  readonly segment: TcpSegment;
}

/** An error about another packet (RFC 792, RFC 4443); the ports of its endpoints are 0. */
export interface IcmpPacket extends IpHeader {
  readonly protocol: 'icmp';
  readonly type: IcmpType;
  /** Header of the packet that the error is about, as whoever reports it saw it. */
  readonly about: FlowHeader;
  /** Bytes that would have gone through, with `packet-too-big` (RFC 1191, RFC 8201). */
  readonly mtu?: number;
}

export type IcmpType =
  | 'net-unreachable'
  | 'host-unreachable'
  | 'port-unreachable'
  | 'administratively-prohibited'
  | 'time-exceeded'
  | 'packet-too-big';

/** What tells the flow of a packet: protocol and both ends. */
export interface FlowHeader {
  readonly protocol: 'udp' | 'tcp';
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** A TCP segment (RFC 9293 section 3.1), without the fields that a simulation has no use for. */
export interface TcpSegment {
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Of the first byte, or of SYN; modulo 2^32. */
  readonly sequence: number;
  /** Next byte expected, where `ack` is set; modulo 2^32. */
  readonly acknowledgement: number;
  /** Bytes that its sender would take, unscaled. */
  readonly window: number;
  /** Maximum segment size in bytes, on segments with SYN. */
  readonly mss?: number;
  readonly payload: Uint8Array;
}

/** What a host's packets start with (RFC 1122 section 3.2.1.7 leaves it to the host; Linux and macOS take this). */
const DEFAULT_TTL = 64;

export function udpPacket(source: Endpoint, destination: Endpoint, payload: Uint8Array, ttl = DEFAULT_TTL): UdpPacket {
  return { protocol: 'udp', source, destination, ttl, payload };
}

/** Flags that are not named are off, numbers 0, the payload empty. */
export function tcpPacket(
  source: Endpoint,
  destination: Endpoint,
  segment: Partial<TcpSegment>,
  ttl = DEFAULT_TTL,
): TcpPacket {
  return { protocol: 'tcp', source, destination, ttl, segment: { ...EMPTY_SEGMENT, ...segment } };
}

/** What is on its way, with other ends or another TTL. Spelt out, since this is done for each packet at each router. */
export function withHeader<T extends UdpPacket | TcpPacket>(packet: T, source: Endpoint, destination: Endpoint): T;
export function withHeader(packet: Packet, source: Endpoint, destination: Endpoint, ttl: number): Packet;
export function withHeader(packet: Packet, source: Endpoint, destination: Endpoint, ttl = packet.ttl): Packet {
  switch (packet.protocol) {
    case 'udp':
      return { protocol: 'udp', source, destination, ttl, payload: packet.payload };
    case 'tcp':
      return { protocol: 'tcp', source, destination, ttl, segment: packet.segment };
    case 'icmp':
      return { ...packet, source, destination, ttl };
  }
}

/** The error that the node at `from` reports to the sender of `about`. */
export function icmpPacket(from: string, about: UdpPacket | TcpPacket, type: IcmpType, mtu?: number): IcmpPacket {
  const { protocol, source, destination } = about;
  return {
    protocol: 'icmp',
    source: { address: from, port: 0, family: source.family },
    destination: { ...source, port: 0 },
    ttl: DEFAULT_TTL,
    type,
    about: { protocol, source, destination },
    ...(mtu !== undefined && { mtu }),
  };
}

/** Bytes on the wire, from the IP header on: what counts against rates and MTUs. */
export function wireSize(packet: Packet): number {
  const ip = packet.source.family === 4 ? 20 : 40;
  switch (packet.protocol) {
    case 'udp':
      return ip + UDP_HEADER + packet.payload.length;
    case 'tcp':
      return ip + TCP_HEADER + packet.segment.payload.length;
    case 'icmp':
      return 2 * ip + ICMP_HEADER + QUOTED;
  }
}

/** What a packet is, in a line for people: `udp 192.0.2.1:5 > 192.0.2.9:53 120 B`. */
export function describePacket(packet: Packet): string {
  const { protocol, source, destination } = packet;
  if (protocol === 'icmp') {
    const { about } = packet;
    const flow = `${about.protocol} ${formatEndpoint(about.source)} > ${formatEndpoint(about.destination)}`;
    return `icmp ${source.address} > ${destination.address} ${packet.type} (${flow})`;
  }
  const flow = `${protocol} ${formatEndpoint(source)} > ${formatEndpoint(destination)}`;
  if (protocol === 'udp') return `${flow} ${packet.payload.length} B`;
  const { segment } = packet;
  const flags = (['syn', 'fin', 'rst', 'ack'] as const).filter((flag) => segment[flag]).join('+');
  return `${flow} ${flags || 'none'} seq ${segment.sequence} ack ${segment.acknowledgement} ${segment.payload.length} B`;
}

const EMPTY_SEGMENT: TcpSegment = {
  syn: false,
  ack: false,
  fin: false,
  rst: false,
  sequence: 0,
  acknowledgement: 0,
  window: 0,
  payload: new Uint8Array(0),
};

/** Bytes (RFC 768, RFC 9293 section 3.1, RFC 792). */
const UDP_HEADER = 8;
export const TCP_HEADER = 20;
const ICMP_HEADER = 8;
/** What an error quotes of the packet beyond its IP header (RFC 792). */
const QUOTED = 8;
