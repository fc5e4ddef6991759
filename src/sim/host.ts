import { classifyAddress } from '../core/ip-address.ts';
import type { Interface } from './interface.ts';
import { isMulticast } from './lan.ts';
import { familyOf, Node } from './node.ts';
import type { Packet } from './packet.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Simulation } from './simulation.ts';
import { TcpStack } from './tcp/stack.ts';
import { UdpStack } from './udp-stack.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface HostOptions {
  /** Answers nothing where no socket is: neither RST nor ICMP, as desktop firewalls do. Default false. */
  readonly stealth?: boolean;
  /** More names by which others can resolve its public addresses; its own is one already. Nobody else may have them. */
  readonly aliases?: readonly string[];
}

/** A computer with sockets. */
export class Host extends Node {
  readonly udp: UdpStack;
  readonly tcp: TcpStack;
  readonly #stealth: boolean;
  readonly #services: (() => void)[] = [];

  constructor(simulation: Simulation, name: string, { stealth = false, aliases = [] }: HostOptions = {}) {
    super(simulation, name);
    this.#stealth = stealth;
    for (const known of [name, ...aliases]) simulation.names.add(known, () => this.#publicAddresses());
    const random = simulation.random.stream(`host ${name}`);
    this.udp = new UdpStack(this, random.stream('udp'));
    this.tcp = new TcpStack(this, simulation.clock, random.stream('tcp'));
  }

  /** Time on this host: that of its internet. */
  get clock(): VirtualClock {
    return this.simulation.clock;
  }

  /** Chance for programs on this host: that of its internet, of which each takes a stream by a name of its own. */
  get random(): SeededRandom {
    return this.simulation.random;
  }

  /**
   * Public addresses of the host of a name, in upper or lower case: those that this host can reach first, IPv6 before IPv4;
   * none when nobody has the name. The answer takes no time.
   */
  resolve(name: string): readonly string[] {
    if (name.toLowerCase() === 'localhost') return this.loopback.addresses.map(({ address }) => address);
    const rank = (address: string): number =>
      (this.sourceFor(address) === undefined ? 2 : 0) + (familyOf(address) === 6 ? 0 : 1);
    return [...this.simulation.names.resolve(name)].sort((a, b) => rank(a) - rank(b));
  }

  /** Calls `start` now, and again whenever the host comes up after it was off: its sockets are gone by then. */
  serve(start: () => void): void {
    this.#services.push(start);
    if (this.on) start();
  }

  /** Loses power: sockets close, connections are gone without a word to the other side. */
  stop(): void {
    this.on = false;
    this.udp.reset();
    this.tcp.reset();
  }

  /** Comes up again, and starts its services. */
  start(): void {
    if (this.on) return;
    this.on = true;
    for (const start of this.#services) start();
  }

  protected override receive(packet: Packet, from: Interface): void {
    const { address } = packet.destination;
    if (isMulticast(address) || this.owns(address)) this.deliver(packet, from);
    else this.drop(packet, 'not for this host');
  }

  protected override deliver(packet: Packet, from: Interface): void {
    this.deliverTo(packet, from, this.#stealth);
  }

  /** `silently`: nothing is answered where no socket is. */
  protected deliverTo(packet: Packet, from: Interface, silently: boolean): void {
    this.simulation.clock.touch();
    if (this.#hand(packet, from)) {
      this.simulation.log.delivered(this.name, packet);
    } else if (!isMulticast(packet.destination.address)) {
      // Everybody hears multicast: not to have joined is no loss.
      this.drop(packet, 'no socket');
      if (!silently) this.#refuse(packet, from);
    }
  }

  /** Whether somebody takes the packet. */
  #hand(packet: Packet, from: Interface): boolean {
    switch (packet.protocol) {
      case 'udp':
        return this.udp.deliver(packet, from);
      case 'tcp':
        return this.tcp.deliver(packet);
      case 'icmp':
        this.tcp.reported(packet);
        return true;
    }
  }

  #refuse(packet: Packet, from: Interface): void {
    if (packet.protocol === 'tcp') this.tcp.refuse(packet);
    else this.report(packet, 'port-unreachable', from);
  }

  #publicAddresses(): string[] {
    const all = this.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    return all.filter((address) => classifyAddress(address) === 'public');
  }
}
