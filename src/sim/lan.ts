import type { Attachment, Interface } from './interface.ts';
import { DEFAULT_MTU, type Link } from './link.ts';
import type { Packet } from './packet.ts';
import type { Simulation } from './simulation.ts';

/** A local network: a switch that knows who has which address, and takes multicast to everybody. */
export class Lan {
  readonly #simulation: Simulation;
  readonly #name: string;
  readonly #isolated: boolean;
  readonly #ports: Port[] = [];
  /** Ports by address; made anew after a change. */
  #owners: Map<string, Port> | undefined;

  /** `isolated`: what comes by one link goes to no other link, only to interfaces that are attached without one. */
  constructor(simulation: Simulation, name: string, { isolated }: { isolated: boolean }) {
    this.#simulation = simulation;
    this.#name = name;
    this.#isolated = isolated;
  }

  /** Attaches an interface, by a link or, as a router is, without one. */
  attach(to: Interface, link?: Link): void {
    const port: Port = { interface: to, link };
    this.#ports.push(port);
    to.attachment = this.#attachment(port);
  }

  detach(from: Interface): void {
    from.attachment = undefined;
    const at = this.#ports.findIndex((port) => port.interface === from);
    if (at >= 0) this.#ports.splice(at, 1);
    this.#owners = undefined;
  }

  #attachment(port: Port): Attachment {
    const { link } = port;
    return {
      mtu: link?.mtu ?? DEFAULT_MTU,
      get up() {
        return link?.up ?? true;
      },
      transmit: (packet, nextHop) => {
        if (link === undefined) this.#forward(packet, nextHop, port);
        else link.upstream.carry(packet, (arrived) => this.#forward(arrived, nextHop, port));
      },
      readdressed: () => {
        this.#owners = undefined;
      },
    };
  }

  #forward(packet: Packet, nextHop: string, from: Port): void {
    if (isMulticast(nextHop)) {
      for (const port of this.#ports) if (port !== from && this.#joins(from, port)) deliver(packet, port);
      return;
    }
    const port = this.#ownerOf(nextHop);
    if (port === undefined) this.#simulation.log.dropped(this.#name, packet, 'nobody has that address');
    else if (!this.#joins(from, port)) this.#simulation.log.dropped(this.#name, packet, 'isolated');
    else deliver(packet, port);
  }

  #joins(a: Port, b: Port): boolean {
    return !this.#isolated || a.link === undefined || b.link === undefined;
  }

  #ownerOf(address: string): Port | undefined {
    if (this.#owners === undefined) {
      this.#owners = new Map();
      for (const port of this.#ports) {
        for (const own of port.interface.addresses) {
          if (!this.#owners.has(own.address)) this.#owners.set(own.address, port);
        }
      }
    }
    return this.#owners.get(address);
  }
}

/** Whether an address in canonical text is that of a group: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291). */
export function isMulticast(address: string): boolean {
  return MULTICAST.test(address);
}

const MULTICAST = /^(22[4-9]\.|23\d\.|ff[0-9a-f]{2}:)/;

interface Port {
  readonly interface: Interface;
  readonly link: Link | undefined;
}

function deliver(packet: Packet, { link, interface: to }: Port): void {
  if (link === undefined) to.receive(packet);
  else link.downstream.carry(packet, (arrived) => to.receive(arrived));
}
