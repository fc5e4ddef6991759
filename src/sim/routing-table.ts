import { parseIp } from '../core/ip-address.ts';
import type { Interface } from './interface.ts';
import { formatPrefix, type Prefix, prefixOf } from './prefix.ts';

export interface Route {
  readonly prefix: Prefix;
  readonly interface: Interface;
  /** The neighbour that carries on; absent: the destinations are neighbours themselves. */
  readonly gateway?: string;
}

/** Where packets go: the longest prefix that has the destination (RFC 1812 section 5.2.4.3), of interfaces that are up. */
export class RoutingTable {
  readonly #routes = new Map<string, Route[]>();
  /** Lengths that there have been, the longest first. */
  #lengths: readonly number[] = [];
  /** All routes for a destination, the best first. */
  readonly #cache = new Map<string, readonly Route[]>();

  /** Among routes of the same prefix, the one that was added first is the best. */
  add(route: Route): void {
    const key = formatPrefix(route.prefix);
    const routes = this.#routes.get(key);
    if (routes === undefined) this.#routes.set(key, [route]);
    else routes.push(route);
    this.#cache.clear();
    const { length } = route.prefix;
    if (!this.#lengths.includes(length)) this.#lengths = [...this.#lengths, length].sort((a, b) => b - a);
  }

  /** Removes the routes that fit. */
  remove(fits: (route: Route) => boolean): void {
    for (const [key, routes] of this.#routes) {
      const rest = routes.filter((route) => !fits(route));
      if (rest.length > 0) this.#routes.set(key, rest);
      else this.#routes.delete(key);
    }
    this.#cache.clear();
  }

  /**
   * `undefined` when nothing leads there. Of equally long prefixes, one that leads out by the interface `preferred` wins: a
   * socket bound to an address sends by its interface, as on systems that route by source.
   */
  lookup(destination: string, preferred?: Interface): Route | undefined {
    const usable = this.#candidates(destination).filter((route) => route.interface.up);
    const length = usable[0]?.prefix.length;
    return usable.find((route) => route.prefix.length === length && route.interface === preferred) ?? usable[0];
  }

  /** Default routes by interfaces that are up, of both families, the preferred ones first. */
  defaults(): readonly Route[] {
    return ['0.0.0.0/0', '::/0'].flatMap((key) => this.#routes.get(key) ?? []).filter((route) => route.interface.up);
  }

  #candidates(destination: string): readonly Route[] {
    const known = this.#cache.get(destination);
    if (known !== undefined) return known;
    const bytes = parseIp(destination)?.bytes ?? new Uint8Array(4);
    const found = this.#lengths
      .filter((length) => length <= 8 * bytes.length)
      .flatMap((length) => this.#routes.get(formatPrefix(prefixOf(bytes, length))) ?? []);
    if (this.#cache.size >= CACHED) this.#cache.clear();
    this.#cache.set(destination, found);
    return found;
  }
}

/** Destinations whose routes are remembered. */
const CACHED = 4096;
