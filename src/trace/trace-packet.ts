import { formatEndpoint } from '../core/endpoint.ts';
import { packetKind } from '../protocol/packet-kind.ts';
import type { Packet, PacketFate, PacketRecord } from '../sim/index.ts';

/** What became of a packet at a place: its headers and sizes, and nothing that it carried. */
export interface TracePacket {
  /** Name of the host, the router, the network or the link. */
  readonly place: string;
  readonly fate: PacketFate;
  /** Why, of one that was dropped. */
  readonly reason?: string;
  readonly packet: PacketHeader;
  /** What a UDP packet is, by its first bytes: `STUN Binding request`, `QUIC`, `DNS`; absent: unknown. */
  readonly carries?: string;
  /** What a translated one became. */
  readonly became?: PacketHeader;
}

/** `from` and `to` are `ip:port`, without port of ICMP. */
export type PacketHeader =
  | {
      readonly protocol: 'udp';
      readonly from: string;
      readonly to: string;
      /** Absent: unknown, of a real one. */
      readonly ttl?: number;
      /** Bytes of the payload. */
      readonly length: number;
    }
  | {
      readonly protocol: 'tcp';
      readonly from: string;
      readonly to: string;
      readonly ttl: number;
      /** Joined by `+`, such as `syn+ack`. */
      readonly flags: string;
      readonly sequence: number;
      readonly acknowledgement: number;
      readonly window: number;
      readonly length: number;
    }
  | {
      readonly protocol: 'icmp';
      readonly from: string;
      readonly to: string;
      readonly ttl: number;
      readonly type: string;
      readonly mtu?: number;
      /** Of the packet that the error is about. */
      readonly about: { readonly protocol: 'udp' | 'tcp'; readonly from: string; readonly to: string };
    };

export function tracePacket({ place, fate, reason, packet, became }: PacketRecord): TracePacket {
  const { source, destination } = packet;
  const carries = packet.protocol === 'udp' ? packetKind(packet.payload, source.port, destination.port) : undefined;
  return {
    place,
    fate,
    ...(reason !== undefined && { reason }),
    packet: headerOf(packet),
    ...(became !== undefined && { became: headerOf(became) }),
    ...(carries !== undefined && { carries }),
  };
}

function headerOf(packet: Packet): PacketHeader {
  const { source, destination, ttl } = packet;
  if (packet.protocol === 'icmp') {
    const { type, mtu, about } = packet;
    return {
      protocol: 'icmp',
      from: source.address,
      to: destination.address,
      ttl,
      type,
      ...(mtu !== undefined && { mtu }),
      about: {
        protocol: about.protocol,
        from: formatEndpoint(about.source),
        to: formatEndpoint(about.destination),
      },
    };
  }
  const from = formatEndpoint(source);
  const to = formatEndpoint(destination);
  if (packet.protocol === 'udp') return { protocol: 'udp', from, to, ttl, length: packet.payload.length };
  const { sequence, acknowledgement, window, payload } = packet.segment;
  const flags = FLAGS.filter((flag) => packet.segment[flag]).join('+');
  return { protocol: 'tcp', from, to, ttl, flags, sequence, acknowledgement, window, length: payload.length };
}

const FLAGS = ['syn', 'fin', 'rst', 'ack'] as const;
