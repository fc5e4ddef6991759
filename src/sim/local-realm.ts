import type { Family } from '../core/endpoint.ts';
import { type AddressBook, addressBookOf } from './address-book.ts';
import { usage } from './fields.ts';
import { type Interface, interfaceAddress } from './interface.ts';
import { Lan } from './lan.ts';
import type { Link } from './link.ts';
import type { LinkSpec } from './link-spec.ts';
import { familyOf, type Node } from './node.ts';
import { addressAt, formatPrefix, type Prefix } from './prefix.ts';
import type { Realm } from './realm.ts';
import type { Router } from './router.ts';
import type { Simulation } from './simulation.ts';

export interface LocalRealmOptions {
  readonly name: string;
  /** One of each family at most. */
  readonly prefixes: readonly Prefix[];
  readonly isolated: boolean;
  /** Whether the router translates IPv4 addresses. */
  readonly translated: boolean;
  /** The network above, that the router joins. */
  readonly above: Realm;
  readonly router: Router;
}

/** A local network behind a router. */
export class LocalRealm implements Realm {
  readonly name: string;
  readonly addresses: AddressBook;
  readonly defaultLink: LinkSpec = {};
  readonly router: Router;
  readonly above: Realm;
  readonly prefixes: readonly Prefix[];
  readonly #translated: boolean;
  readonly #lan: Lan;
  /** The router's interface here. */
  readonly inside: Interface;
  readonly #outside: Interface;
  /** Blocks of this network and of those below that the one above sends here. */
  readonly #routed: Prefix[];

  constructor(simulation: Simulation, { name, prefixes, isolated, translated, above, router }: LocalRealmOptions) {
    this.name = name;
    this.prefixes = prefixes;
    this.router = router;
    this.above = above;
    this.#translated = translated;
    this.addresses = addressBookOf(prefixes, FIRST_HOST);
    this.#lan = new Lan(simulation, name, { isolated });
    this.inside = router.addInterface('lan');
    this.#outside = router.addOutside('wan');
    const own = prefixes.map((prefix) => {
      return interfaceAddress(this.addresses.take(addressAt(prefix, 1)!, name), prefix.length);
    });
    this.#routed = prefixes.filter((prefix) => !this.#isTranslated(prefix));
    this.#lan.attach(this.inside);
    router.configure(this.inside, own);
  }

  isPublic(family: Family): boolean {
    return !this.#isTranslated({ family }) && this.above.isPublic(family);
  }

  /** Addresses of the router in the network above. */
  get external(): readonly string[] {
    return this.#outside.addresses.map(({ address }) => address);
  }

  /** Joins the network above with the router, by `link`, and has this network's blocks sent here. */
  connect(addresses: readonly string[], link: Link, path: string): void {
    this.above.join(this.router, this.#outside, addresses, link);
    for (const prefix of this.#routed) this.above.delegate(prefix, this.#outside, path);
    this.router.readdress();
  }

  /** Leaves the network above. */
  disconnect(): void {
    this.above.leave(this.router, this.#outside);
  }

  join(node: Node, at: Interface, addresses: readonly string[], link: Link): void {
    this.#lan.attach(at, link);
    const own = addresses.map((address) => interfaceAddress(address, this.#lengthOf(address)));
    const gateways = own.map(({ family }) => this.inside.addressOf(family)!);
    node.configure(at, own, [...new Set(gateways)]);
  }

  leave(node: Node, at: Interface): void {
    for (const { address } of at.addresses) {
      this.addresses.release(address);
      this.router.removeRoutes((route) => route.gateway === address);
    }
    node.configure(at, []);
    this.#lan.detach(at);
  }

  delegate(prefix: Prefix, to: Interface, path: string): void {
    const gateway = to.addressOf(prefix.family);
    if (gateway === undefined) throw usage(path, `the router has no IPv${prefix.family} address in ${this.name}`);
    this.router.addRoute({ prefix, interface: this.inside, gateway });
    if (this.#isTranslated(prefix)) return;
    const known = this.#routed.some((other) => formatPrefix(other) === formatPrefix(prefix));
    if (!known) this.#routed.push(prefix);
    this.above.delegate(prefix, this.#outside, path);
  }

  #isTranslated({ family }: { readonly family: Family }): boolean {
    return this.#translated && family === 4;
  }

  #lengthOf(address: string): number {
    return this.prefixes.find(({ family }) => family === familyOf(address))!.length;
  }
}

/** The first address of a host, counted from that of the network. */
const FIRST_HOST = 100;
