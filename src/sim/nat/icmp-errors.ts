import type { IcmpPacket } from '../packet.ts';
import type { MappingTable } from './mapping-table.ts';

/**
 * An error from outside about a packet that the NAT sent, as the packet's sender is to read it: destination and quoted source
 * translated back (RFC 5508 REQ-4). `undefined` when the packet was of no flow. It ends no mapping (RFC 4787 REQ-12).
 */
export function inboundError(packet: IcmpPacket, table: MappingTable, now: number): IcmpPacket | undefined {
  const { protocol, source: external, destination: remote } = packet.about;
  const internal = table.flowAt(protocol, external, remote, now)?.mapping.internal;
  if (internal === undefined) return undefined;
  return {
    ...packet,
    destination: { ...internal, port: 0 },
    about: { protocol, source: internal, destination: remote },
  };
}

/** The same for an error from inside about a packet that the NAT let in: source and quoted destination (RFC 5508 REQ-5). */
export function outboundError(packet: IcmpPacket, table: MappingTable, now: number): IcmpPacket | undefined {
  const { protocol, source: remote, destination: internal } = packet.about;
  const external = table.flow(protocol, internal, remote, now)?.mapping.external;
  if (external === undefined) return undefined;
  return { ...packet, source: { ...external, port: 0 }, about: { protocol, source: remote, destination: external } };
}
