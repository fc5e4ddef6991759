import type { Packet } from './packet.ts';

/**
 * What stands between the inside and the outside of a router and may change or refuse what passes: a NAT, a firewall.
 * Several are a chain: the innermost sees outbound packets first and inbound ones last; what one forwards, the next sees.
 * Times are virtual, in ms, and never go back.
 */
export interface Middlebox {
  /**
   * A packet from the inside, about to leave by an outside interface or addressed to one of the router's outside
   * addresses (hairpin). After `forward` the router routes by the packet's new destination, wherever that leads.
   */
  outbound(packet: Packet, now: number): Ruling;
  /** A packet that came in by an outside interface, before the router has looked at its destination. */
  inbound(packet: Packet, now: number): Ruling;
  /** Addresses of the router's outside interfaces, of both families, in their order: told at the start and at each change. */
  readdress(addresses: readonly string[], now: number): void;
  /** Power went off and on: nothing is remembered, explicit mappings included. */
  reboot(now: number): void;
  /** Dynamic mappings are forgotten, so that each flow gets a new one with its next packet; explicit ones stay. */
  rebind(now: number): void;
  /** When {@link poll} wants to be called; absent: not before the next packet. */
  readonly wakeAt?: number | undefined;
  /** Packets that the box sends on its own account, such as an error that it held back (RFC 5382 REQ-4). */
  poll?(now: number): readonly Packet[];
}

/** What becomes of a packet. A reason is a few words, for the packet log and for people. */
export type Ruling =
  /** Goes on, translated or as it was. */
  | { readonly action: 'forward'; readonly packet: Packet }
  /** Is for the router itself: delivered to its sockets, dropped without a word where none takes it. */
  | { readonly action: 'local' }
  | { readonly action: 'drop'; readonly reason: string }
  /** Is dropped, and `packet` (RST, ICMP error) sent by the router in turn, past all middleboxes. */
  | { readonly action: 'reply'; readonly packet: Packet; readonly reason: string };
