import { type AddressBook, publicAddressBook } from './address-book.ts';
import { usage } from './fields.ts';
import { type Attachment, type Interface, type InterfaceAddress, interfaceAddress } from './interface.ts';
import type { Link } from './link.ts';
import type { LinkSpec } from './link-spec.ts';
import type { Node } from './node.ts';
import { INTERNET } from './plan.ts';
import { formatPrefix, type Prefix } from './prefix.ts';
import type { Realm } from './realm.ts';
import { Router } from './router.ts';
import type { Simulation } from './simulation.ts';
import type { Wire } from './wire.ts';

/** The public internet: one router between all links to it. */
export class PublicRealm implements Realm {
  readonly name = INTERNET;
  readonly prefixes: readonly Prefix[] = [];
  readonly above = undefined;
  readonly addresses: AddressBook = publicAddressBook();
  readonly defaultLink: LinkSpec = { latency: 20 };
  readonly #core: Router;
  /** The core's side of each link, by the other one. */
  readonly #sides = new Map<Interface, Interface>();
  /** Blocks of addresses, and who has joined with the router they are behind. */
  readonly #delegated = new Map<string, Interface>();

  constructor(simulation: Simulation) {
    this.#core = new Router(simulation, INTERNET);
    const own = CORE.map((address) => this.addresses.take(address, INTERNET));
    this.#core.configure(this.#core.addInterface('core'), own.map(alone));
  }

  isPublic(): boolean {
    return true;
  }

  join(node: Node, at: Interface, addresses: readonly string[], link: Link): void {
    const side = this.#core.addInterface(link.name);
    // Errors about what comes by this link have one of these as their source.
    side.addresses = CORE.map(alone);
    this.#sides.set(at, side);
    at.attachment = endOf(link, link.upstream, side);
    side.attachment = endOf(link, link.downstream, at);
    const own = addresses.map(alone);
    const families = new Set(own.map(({ family }) => family));
    node.configure(
      at,
      own,
      CORE.filter((gateway) => families.has(gateway.includes(':') ? 6 : 4)),
    );
    for (const { prefix } of own) this.#core.addRoute({ prefix, interface: side });
  }

  leave(node: Node, at: Interface): void {
    const side = this.#sides.get(at);
    if (side === undefined) return;
    for (const { address } of at.addresses) this.addresses.release(address);
    node.configure(at, []);
    at.attachment = undefined;
    this.#core.removeRoutes((route) => {
      if (route.interface !== side) return false;
      this.#delegated.delete(formatPrefix(route.prefix));
      return true;
    });
    this.#core.removeInterface(side);
    this.#sides.delete(at);
  }

  delegate(prefix: Prefix, to: Interface, path: string): void {
    const text = formatPrefix(prefix);
    const holder = this.#delegated.get(text);
    if (holder === to) return;
    if (holder !== undefined) throw usage(path, `${text} is another network's already`);
    this.#delegated.set(text, to);
    this.#core.addRoute({ prefix, interface: this.#sides.get(to)! });
  }
}

/** What the core is known by: the gateway of all that is on the internet. */
const CORE = ['192.0.2.1', '2001:db8::1'];

/** One end of a link between two interfaces. */
function endOf(link: Link, wire: Wire, other: Interface): Attachment {
  return {
    mtu: link.mtu,
    get up() {
      return link.up;
    },
    transmit: (packet) => wire.carry(packet, (arrived) => other.receive(arrived)),
    readdressed() {},
  };
}

/** An address without neighbours, as on a link between two. */
function alone(address: string): InterfaceAddress {
  return interfaceAddress(address, address.includes(':') ? 128 : 32);
}
