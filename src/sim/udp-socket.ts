import type { Endpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import { type UdpPacket, udpPacket } from './packet.ts';
import type { UdpStack } from './udp-stack.ts';

/** A bound UDP socket of a simulated host. */
export class UdpSocket {
  /** The bound address; `0.0.0.0` or `::` when bound to all. */
  readonly local: Endpoint;
  /** Lets others bind the same port. */
  readonly shared: boolean;
  /** Told of each datagram; the bytes are the receiver's own. */
  onDatagram: (data: Uint8Array, from: Endpoint) => void = () => {};
  /** Told once that the socket is closed, by whomever. */
  onClosed: () => void = () => {};
  readonly #stack: UdpStack;
  readonly #groups = new Set<string>();
  #open = true;

  /** Made by {@link UdpStack.bind}. */
  constructor(stack: UdpStack, local: Endpoint, shared: boolean) {
    this.#stack = stack;
    this.local = local;
    this.shared = shared;
  }

  /** Whether the socket is bound to all addresses of its family. */
  get wildcard(): boolean {
    return this.local.address === ANY[this.local.family];
  }

  /** False when the datagram was dropped at once: closed, too long, no route, an address that cannot be sent to. */
  send(data: Uint8Array, to: Endpoint): boolean {
    if (!this.#open || to.family !== this.local.family || to.port === 0 || to.address === BROADCAST) return false;
    if (data.length > LONGEST_PAYLOAD[to.family]) return false;
    const source = this.wildcard ? this.#stack.host.sourceFor(to.address) : this.local.address;
    if (source === undefined || !this.#stack.host.owns(source)) return false;
    const { port, family } = this.local;
    return this.#stack.host.send(udpPacket({ address: source, port, family }, to, Uint8Array.from(data)));
  }

  /**
   * Also receives what is sent to a multicast group on the interface that has `address`. Errors: `ERR_CLOSED`, and
   * `ERR_NETWORK` when it is no group or the host has no such address.
   */
  joinGroup(group: string, address: string): void {
    if (!this.#open) throw new TraversalError('ERR_CLOSED', `joining ${group}: the socket is closed`);
    this.#groups.add(membership(group, this.#stack.groupInterface(group, address)));
  }

  /** Whether a datagram to a group, on an interface, is for this socket. */
  hasJoined(group: string, interfaceName: string): boolean {
    return this.#groups.has(membership(group, interfaceName));
  }

  /** A packet has come in for this socket. */
  receive(packet: UdpPacket): void {
    this.onDatagram(Uint8Array.from(packet.payload), packet.source);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stack.release(this);
    this.onClosed();
  }
}

function membership(group: string, interfaceName: string): string {
  return `${group}%${interfaceName}`;
}

/** All addresses of a family, as what a socket is bound to. */
export const ANY = { 4: '0.0.0.0', 6: '::' } as const;
/** What sockets may not send to unless they ask for it, which nothing here does. */
const BROADCAST = '255.255.255.255';
/** Bytes: what the length fields of UDP (and of IPv4) have room for. */
const LONGEST_PAYLOAD = { 4: 65_507, 6: 65_527 } as const;
