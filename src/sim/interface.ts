import type { Family } from '../core/endpoint.ts';
import { parseIp } from '../core/ip-address.ts';
import { DEFAULT_MTU } from './link.ts';
import type { Packet } from './packet.ts';
import { type Prefix, prefixOf } from './prefix.ts';

/** How an interface is joined to a network or to another interface. */
export interface Attachment {
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Sends a packet to the neighbour that has the address `nextHop`, or to all of a multicast group. */
  transmit(packet: Packet, nextHop: string): void;
  /** The addresses of the interface have changed. */
  readdressed(): void;
}

/** An address of an interface, and the block whose other addresses are its neighbours. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: Family;
  readonly prefix: Prefix;
}

/** Where a node meets a network. */
export class Interface {
  readonly name: string;
  readonly #onPacket: (packet: Packet, from: Interface) => void;
  #addresses: readonly InterfaceAddress[] = [];
  #attachment: Attachment | undefined;

  constructor(name: string, onPacket: (packet: Packet, from: Interface) => void) {
    this.name = name;
    this.#onPacket = onPacket;
  }

  get addresses(): readonly InterfaceAddress[] {
    return this.#addresses;
  }

  set addresses(addresses: readonly InterfaceAddress[]) {
    this.#addresses = addresses;
    this.#attachment?.readdressed();
  }

  set attachment(attachment: Attachment | undefined) {
    this.#attachment = attachment;
    attachment?.readdressed();
  }

  /** Whether something is plugged in, and its link is up. */
  get up(): boolean {
    return this.#attachment?.up ?? false;
  }

  get mtu(): number {
    return this.#attachment?.mtu ?? DEFAULT_MTU;
  }

  addressOf(family: Family): string | undefined {
    return this.#addresses.find((one) => one.family === family)?.address;
  }

  transmit(packet: Packet, nextHop: string): void {
    this.#attachment?.transmit(packet, nextHop);
  }

  /** A packet has come in. */
  receive(packet: Packet): void {
    this.#onPacket(packet, this);
  }
}

/** An address with the block of `length` bits around it. `address` is numeric. */
export function interfaceAddress(address: string, length: number): InterfaceAddress {
  const { bytes, family } = parseIp(address)!;
  return { address, family, prefix: prefixOf(bytes, length) };
}
