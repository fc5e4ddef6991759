import { endpoint, type Family } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import type { UdpOptions } from '../core/network.ts';
import type { Interface } from './interface.ts';
import { isMulticast } from './lan.ts';
import type { Node } from './node.ts';
import type { UdpPacket } from './packet.ts';
import { ephemeralPort, requirePort } from './ports.ts';
import type { SeededRandom } from './seeded-random.ts';
import { ANY, UdpSocket } from './udp-socket.ts';

/** The UDP sockets of a host. */
export class UdpStack {
  readonly host: Node;
  readonly #random: SeededRandom;
  /** By family and port, in the order in which they were bound. */
  readonly #sockets = new Map<string, UdpSocket[]>();

  constructor(host: Node, random: SeededRandom) {
    this.host = host;
    this.#random = random;
  }

  /** Errors: `ERR_PORT_IN_USE`, `ERR_NETWORK` when the host has no such address or no free port, `ERR_USAGE`. */
  bind({ family, port = 0, address = ANY[family], shared = false }: UdpOptions): UdpSocket {
    const doing = `binding UDP port ${port} on ${address}`;
    requirePort(port, doing);
    if (address !== ANY[family] && !this.host.owns(address)) {
      throw new TraversalError('ERR_NETWORK', `${doing}: the host has no such address`);
    }
    const isFree = (candidate: number): boolean => this.#isFree(family, candidate, address, shared);
    if (port !== 0 && !isFree(port)) throw new TraversalError('ERR_PORT_IN_USE', `${doing}: the port is taken`);
    const local = endpoint(address, port === 0 ? ephemeralPort(this.#random, isFree, doing) : port);
    const socket = new UdpSocket(this, local, shared);
    const key = keyOf(family, local.port);
    this.#sockets.set(key, [...(this.#sockets.get(key) ?? []), socket]);
    return socket;
  }

  /** Sockets that are open. */
  get size(): number {
    return [...this.#sockets.values()].reduce((sum, sockets) => sum + sockets.length, 0);
  }

  /**
   * Hands a packet to the socket that is bound the closest to its destination, the latest of equals; one to a group to all
   * that have joined. False when there is none.
   */
  deliver(packet: UdpPacket, from: Interface): boolean {
    const { address, port, family } = packet.destination;
    const bound = this.#sockets.get(keyOf(family, port)) ?? [];
    const takers = isMulticast(address)
      ? bound.filter((socket) => socket.wildcard && socket.hasJoined(address, from.name))
      : [bound.findLast((one) => one.local.address === address) ?? bound.findLast((one) => one.wildcard)];
    for (const socket of takers) socket?.receive(packet);
    return takers.some((socket) => socket !== undefined);
  }

  /** Name of the interface that has `address`, for joining `group` there. Errors: `ERR_NETWORK`. */
  groupInterface(group: string, address: string): string {
    const found = this.host.interfaceWith(address);
    if (found !== undefined && isMulticast(group)) return found.name;
    const why = found === undefined ? `the host has no address ${address}` : 'it is no multicast address';
    throw new TraversalError('ERR_NETWORK', `joining the multicast group ${group}: ${why}`);
  }

  /** A socket was closed. */
  release(socket: UdpSocket): void {
    const key = keyOf(socket.local.family, socket.local.port);
    const rest = (this.#sockets.get(key) ?? []).filter((other) => other !== socket);
    if (rest.length > 0) this.#sockets.set(key, rest);
    else this.#sockets.delete(key);
  }

  /** Closes all sockets. */
  reset(): void {
    for (const sockets of [...this.#sockets.values()]) for (const socket of sockets) socket.close();
  }

  /** One port is one socket's, for its address or for all, unless all of them share it. */
  #isFree(family: Family, port: number, address: string, shared: boolean): boolean {
    const bound = this.#sockets.get(keyOf(family, port)) ?? [];
    return bound.every(
      (other) =>
        (shared && other.shared) || (address !== ANY[family] && !other.wildcard && other.local.address !== address),
    );
  }
}

function keyOf(family: Family, port: number): string {
  return `${family} ${port}`;
}
