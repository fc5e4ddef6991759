import type { IcmpPacket } from '../packet.ts';
import type { MappingTable } from './mapping-table.ts';

/**
 * An error from outside about a packet that the NAT sent, as the packet's sender is to read it: destination and quoted source
 * translated back (RFC 5508 REQ-4). `undefined` when the packet was of no flow. It ends no mapping (RFC 4787 REQ-12).
 */
export function inboundError(packet: IcmpPacket, table: MappingTable, now: number): IcmpPacket | undefined {
  const { protocol, source: external, destination: remote } = packet.about;
  const flow = table.flowAt(protocol, external, remote, now);
  if (flow === undefined) return undefined;
  const { internal } = flow.mapping;
  return {
    ...packet,
    destination: { ...internal, port: 0 },
    about: { protocol, source: internal, destination: flow.seenAs },
  };
}

/** The same for an error from inside about a packet that the NAT let in: source and quoted destination (RFC 5508 REQ-5). */
export function outboundError(packet: IcmpPacket, table: MappingTable, now: number): IcmpPacket | undefined {
  const { protocol, source: seenAs, destination: internal } = packet.about;
  const flow = table.flow(protocol, internal, seenAs, now);
  if (flow === undefined) return undefined;
  const { remote } = flow;
  const { external } = flow.mapping;
  return { ...packet, source: { ...external, port: 0 }, about: { protocol, source: remote, destination: external } };
}
