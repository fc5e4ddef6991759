import type { TimerHandle } from '../core/clock.ts';
import { Host } from './host.ts';
import type { Interface } from './interface.ts';
import { isMulticast } from './lan.ts';
import type { Middlebox, Ruling } from './middlebox.ts';
import { type Packet, wireSize, withHeader } from './packet.ts';
import type { Route } from './routing-table.ts';
import type { Simulation } from './simulation.ts';

/**
 * A host that forwards, and has middleboxes between its inside and its outside. What it sends itself passes none of them.
 */
export class Router extends Host {
  readonly #middleboxes: readonly Middlebox[];
  readonly #outside = new Set<Interface>();
  #wake: { readonly at: number; readonly timer: TimerHandle } | undefined;

  /** `middleboxes` from the inside to the outside. */
  constructor(simulation: Simulation, name: string, middleboxes: readonly Middlebox[] = []) {
    super(simulation, name);
    this.#middleboxes = middleboxes;
  }

  /** Adds an interface beyond the middleboxes. */
  addOutside(name: string): Interface {
    const added = this.addInterface(name);
    this.#outside.add(added);
    return added;
  }

  /** Adds a route of its own; default routes and those to neighbours come with the interfaces. */
  addRoute(route: Route): void {
    this.routes.add(route);
  }

  /** Removes the routes that fit. */
  removeRoutes(fits: (route: Route) => boolean): void {
    this.routes.remove(fits);
  }

  /** Tells the middleboxes the addresses of the outside interfaces, after they have changed. */
  readdress(): void {
    const addresses = [...this.#outside].flatMap((one) => one.addresses.map(({ address }) => address));
    for (const box of this.#middleboxes) box.readdress(addresses, this.simulation.clock.now());
    this.#arm();
  }

  /** Dynamic mappings are forgotten. */
  rebind(): void {
    for (const box of this.#middleboxes) box.rebind(this.simulation.clock.now());
    this.#arm();
  }

  override start(): void {
    if (!this.on) for (const box of this.#middleboxes) box.reboot(this.simulation.clock.now());
    this.#arm();
    super.start();
  }

  /**
   * A packet of somebody who is not simulated, as if it came from the inside: it leaves its traces in the middleboxes, and goes
   * nowhere.
   */
  passOutbound(packet: Packet): void {
    if (this.on) this.#pass(packet, 'outbound');
  }

  protected override receive(packet: Packet, from: Interface): void {
    const { address } = packet.destination;
    if (isMulticast(address)) this.deliver(packet, from);
    else if (this.#outside.has(from)) this.#routeThrough(packet, 'inbound', from);
    else if (!this.#leadsOut(address)) this.#route(packet, packet, from);
    else if (this.owns(address) || !this.#isSpent(packet, from)) this.#routeThrough(packet, 'outbound', from);
  }

  #routeThrough(packet: Packet, direction: 'inbound' | 'outbound', from: Interface): void {
    const passed = this.#pass(packet, direction, from);
    if (passed !== undefined) this.#route(passed, packet, from);
  }

  /** Whether packets to the address leave by an outside interface, or are for one of its addresses. */
  #leadsOut(address: string): boolean {
    const way =
      this.interfaceWith(address) ?? (this.owns(address) ? undefined : this.routes.lookup(address)?.interface);
    return way !== undefined && this.#outside.has(way);
  }

  /** The packet as it leaves the last middlebox; `undefined` when it ends here. */
  #pass(packet: Packet, direction: 'inbound' | 'outbound', from?: Interface): Packet | undefined {
    const boxes = direction === 'outbound' ? this.#middleboxes : this.#middleboxes.toReversed();
    let passing = packet;
    for (const box of boxes) {
      const ruling = box[direction](passing, this.simulation.clock.now());
      if (ruling.action !== 'forward') {
        this.#end(passing, ruling, from);
        this.#arm();
        return undefined;
      }
      passing = ruling.packet;
    }
    this.#arm();
    if (passing !== packet) this.simulation.log.translated(this.name, packet, passing);
    return passing;
  }

  #end(packet: Packet, ruling: Exclude<Ruling, { action: 'forward' }>, from: Interface | undefined): void {
    switch (ruling.action) {
      case 'local':
        if (from !== undefined) this.deliverTo(packet, from, true);
        return;
      case 'drop':
        this.drop(packet, ruling.reason);
        return;
      case 'reply':
        this.drop(packet, ruling.reason);
        this.send(ruling.packet);
    }
  }

  /** `original` is the packet as its sender knows it, which errors are about. */
  #route(packet: Packet, original: Packet, from: Interface): void {
    const { address } = packet.destination;
    if (this.owns(address)) this.deliver(packet, from);
    else if (!this.#isSpent(original, from)) this.#forward(packet, original, from);
  }

  #forward(packet: Packet, original: Packet, from: Interface): void {
    const { source, destination, ttl } = packet;
    const { address } = destination;
    const route = this.routes.lookup(address);
    if (route === undefined) {
      this.drop(packet, 'no route');
      this.report(original, 'net-unreachable', from);
    } else if (wireSize(packet) > route.interface.mtu) {
      this.drop(packet, 'too big');
      this.report(original, 'packet-too-big', from, route.interface.mtu);
    } else {
      route.interface.transmit(withHeader(packet, source, destination, ttl - 1), route.gateway ?? address);
    }
  }

  /** Whether the packet may not go further (RFC 1812 section 5.3.1); if so, it is dropped and reported. */
  #isSpent(packet: Packet, from: Interface): boolean {
    if (packet.ttl > 1) return false;
    this.drop(packet, 'ttl exceeded');
    this.report(packet, 'time-exceeded', from);
    return true;
  }

  /** Sees to it that the middleboxes are polled when they want to be. */
  #arm(): void {
    const wishes = this.#middleboxes.flatMap(({ wakeAt }) => (wakeAt === undefined ? [] : [wakeAt]));
    const at = wishes.length === 0 ? undefined : Math.min(...wishes);
    if (at === this.#wake?.at) return;
    const { clock } = this.simulation;
    if (this.#wake !== undefined) clock.clearTimeout(this.#wake.timer);
    this.#wake = undefined;
    if (at === undefined) return;
    const timer = clock.setTimeout(() => this.#poll(), at - clock.now());
    this.#wake = { at, timer };
  }

  #poll(): void {
    this.#wake = undefined;
    for (const box of this.#middleboxes) {
      for (const packet of box.poll?.(this.simulation.clock.now()) ?? []) this.send(packet);
    }
    this.#arm();
  }
}
