import type { Family } from '../core/endpoint.ts';
import { Interface, type InterfaceAddress, interfaceAddress } from './interface.ts';
import { isMulticast } from './lan.ts';
import { type IcmpType, icmpPacket, type Packet, wireSize } from './packet.ts';
import { parsePrefix } from './prefix.ts';
import { type Route, RoutingTable } from './routing-table.ts';
import type { Simulation } from './simulation.ts';

/** Something with IP addresses: the network layer of hosts and routers. */
export abstract class Node {
  readonly name: string;
  protected readonly simulation: Simulation;
  protected readonly routes = new RoutingTable();
  /** The loopback interface; always there. */
  readonly loopback: Interface;
  readonly #interfaces: Interface[] = [];
  /** Of all addresses but loopback. */
  #owners = new Map<string, Interface>();
  #on = true;

  constructor(simulation: Simulation, name: string) {
    this.simulation = simulation;
    this.name = name;
    this.loopback = new Interface('lo', () => {});
    this.loopback.addresses = [interfaceAddress('127.0.0.1', 8), interfaceAddress('::1', 128)];
  }

  /** In the order in which they were added; loopback is not among them. */
  get interfaces(): readonly Interface[] {
    return this.#interfaces;
  }

  /** Whether it has power. Without, it neither hears nor says anything. */
  get on(): boolean {
    return this.#on;
  }

  protected set on(on: boolean) {
    this.#on = on;
  }

  addInterface(name: string): Interface {
    const added = new Interface(name, (packet, from) => {
      if (this.#on) this.receive(packet, from);
      else this.drop(packet, 'no power');
    });
    this.#interfaces.push(added);
    return added;
  }

  /** Forgets an interface with its addresses and routes. */
  removeInterface(removed: Interface): void {
    this.configure(removed, []);
    const at = this.#interfaces.indexOf(removed);
    if (at >= 0) this.#interfaces.splice(at, 1);
  }

  /** Gives an interface its addresses and, of each family, the gateway of its default route. Replaces what it had. */
  configure(configured: Interface, addresses: readonly InterfaceAddress[], gateways: readonly string[] = []): void {
    this.routes.remove((route) => route.interface === configured);
    configured.addresses = addresses;
    this.#owners = new Map(this.#interfaces.flatMap((one) => one.addresses.map(({ address }) => [address, one])));
    for (const { prefix } of addresses) this.routes.add({ prefix, interface: configured });
    for (const gateway of gateways) {
      this.routes.add({ prefix: gateway.includes(':') ? ALL_IPV6 : ALL_IPV4, interface: configured, gateway });
    }
  }

  /** Default routes by interfaces that are up, the preferred ones first. */
  defaultRoutes(): readonly Route[] {
    return this.routes.defaults();
  }

  /** Whether packets to the address are for this node, loopback included. */
  owns(address: string): boolean {
    return this.#owners.has(address) || LOOPBACK.test(address);
  }

  interfaceWith(address: string): Interface | undefined {
    return this.#owners.get(address);
  }

  /** What packets to `destination` have as their source where nobody chose one; `undefined` when nothing leads there. */
  sourceFor(destination: string): string | undefined {
    if (this.owns(destination)) return destination;
    return this.#wayTo(destination)?.interface.addressOf(familyOf(destination));
  }

  /** Bytes of the largest packet that the first link towards `destination` takes. */
  mtuTowards(destination: string): number {
    if (this.owns(destination)) return LOOPBACK_MTU;
    return this.#wayTo(destination)?.interface.mtu ?? 0;
  }

  /** Sends a packet of this node's own. False when it was dropped at once; the log says why. */
  send(packet: Packet): boolean {
    const { source, destination } = packet;
    if (!this.#on) return this.drop(packet, 'no power');
    if (this.owns(destination.address)) {
      this.simulation.log.sent(this.name, packet);
      this.simulation.clock.schedule(0, () => {
        if (this.#on) this.deliver(packet, this.loopback);
      });
      return true;
    }
    const from = this.interfaceWith(source.address);
    const route = this.#wayTo(destination.address, from);
    if (route === undefined || LOOPBACK.test(source.address)) return this.drop(packet, 'no route');
    if (wireSize(packet) > route.interface.mtu) return this.drop(packet, 'too big');
    this.simulation.log.sent(this.name, packet);
    if (isMulticast(destination.address)) {
      this.simulation.clock.schedule(0, () => this.deliver(packet, route.interface));
    }
    route.interface.transmit(packet, route.gateway ?? destination.address);
    return true;
  }

  /** A packet has come in by an interface. */
  protected abstract receive(packet: Packet, from: Interface): void;

  /** A packet for this node itself, or to a multicast group; `from`: the interface that it came by or, of its own, left by. */
  protected abstract deliver(packet: Packet, from: Interface): void;

  /** Tells the sender of a packet what became of it, from the address that it was sent to reach this node by. */
  protected report(about: Packet, type: IcmpType, at: Interface, mtu?: number): void {
    // No errors about errors, nor about multicast (RFC 1122 section 3.2.2).
    if (about.protocol === 'icmp' || isMulticast(about.destination.address)) return;
    const own = this.owns(about.destination.address) ? about.destination.address : at.addressOf(about.source.family);
    if (own !== undefined) this.send(icmpPacket(own, about, type, mtu));
  }

  protected drop(packet: Packet, reason: string): false {
    this.simulation.log.dropped(this.name, packet, reason);
    return false;
  }

  /** Multicast leaves by the interface it is sent from, else by the preferred one; it is never routed. */
  #wayTo(destination: string, from?: Interface): Route | undefined {
    if (!isMulticast(destination)) return this.routes.lookup(destination, from);
    const family = familyOf(destination);
    const by = from ?? this.#interfaces.find((one) => one.up && one.addressOf(family) !== undefined);
    return by?.up ? { prefix: family === 4 ? ALL_IPV4 : ALL_IPV6, interface: by } : undefined;
  }
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

const ALL_IPV4 = parsePrefix('0.0.0.0/0')!;
const ALL_IPV6 = parsePrefix('::/0')!;
/** 127.0.0.0/8 (RFC 1122 section 3.2.1.3) and ::1 (RFC 4291 section 2.5.3). */
const LOOPBACK = /^(127\.|::1$)/;
/** Bytes; as Linux has it. */
const LOOPBACK_MTU = 65_536;
