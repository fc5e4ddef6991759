import { byteKey } from '../../core/byte-key.ts';
import { type Endpoint, endpoint, type Family } from '../../core/endpoint.ts';
import { type Random, randomInteger } from '../../core/random.ts';
import type { PortRange } from './server-contract.ts';
import type { TurnServerLimits } from './server-limits.ts';

/** What is wanted of a port: `pair` is an even one whose next one is free too. */
export type PortWish = 'any' | 'even' | 'pair';

interface RelayPortsOptions {
  readonly limits: Pick<TurnServerLimits, 'reservations'>;
  readonly random: Random;
}

/** Which relayed transport addresses are taken, and which come next (RFC 8656 section 7.2). `now` in ms. */
export class RelayPorts {
  readonly #addresses: ReadonlyMap<Family, string>;
  readonly #range: PortRange;
  readonly #random: Random;
  readonly #limit: number;
  /** By family: an address is one family's. */
  readonly #taken: Readonly<Record<Family, Set<number>>> = { 4: new Set(), 6: new Set() };
  /** By token, the oldest first. */
  readonly #reservations = new Map<string, Reservation>();

  /** Throws `RangeError` when an address is not numeric, two are of one family, or the ports are no range. */
  constructor(addresses: readonly string[], range: PortRange, { limits, random }: RelayPortsOptions) {
    const endpoints = addresses.map((address) => endpoint(address, 0));
    this.#addresses = new Map(endpoints.map(({ family, address }) => [family, address]));
    if (this.#addresses.size !== addresses.length) throw new RangeError('one relay address a family');
    const { first, last } = range;
    const isRange = Number.isInteger(first) && Number.isInteger(last) && first > 0 && first <= last && last < 65_536;
    if (!isRange) throw new RangeError(`not a range of ports: ${first}..${last}`);
    this.#range = range;
    this.#random = random;
    this.#limit = limits.reservations;
  }

  get reservations(): number {
    return this.#reservations.size;
  }

  /** Whether there are relayed addresses of this family. */
  offers(family: Family): boolean {
    return this.#addresses.has(family);
  }

  /** Takes a port, by chance so that strangers cannot guess it; `undefined` when none fits. */
  take(family: Family, wish: PortWish, now: number): Endpoint | undefined {
    this.#expire(now);
    if (wish === 'pair' && this.#reservations.size >= this.#limit) return undefined;
    const { first, last } = this.#range;
    const count = last - first + 1;
    const start = randomInteger(this.#random, count);
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (!this.#fits(family, port, wish)) continue;
      this.#taken[family].add(port);
      return endpoint(this.#addresses.get(family)!, port);
    }
    return undefined;
  }

  /** Keeps the port after one that was taken as a `pair`, for whoever has the token that this gives. */
  reserveNext({ address, port, family }: Endpoint, now: number): Uint8Array {
    const token = this.#random.bytes(8);
    this.#taken[family].add(port + 1);
    this.#reservations.set(byteKey(token), {
      relayed: endpoint(address, port + 1),
      until: now + RESERVATION_LIFETIME,
    });
    return token;
  }

  /** Takes what was reserved. */
  claim(token: Uint8Array, now: number): Endpoint | undefined {
    this.#expire(now);
    const key = byteKey(token);
    const reservation = this.#reservations.get(key);
    this.#reservations.delete(key);
    return reservation?.relayed;
  }

  /** What was reserved is free again. */
  cancel(token: Uint8Array): void {
    const key = byteKey(token);
    const reservation = this.#reservations.get(key);
    if (reservation === undefined) return;
    this.#reservations.delete(key);
    this.release(reservation.relayed);
  }

  /** The port is free again. */
  release({ family, port }: Endpoint): void {
    this.#taken[family].delete(port);
  }

  #fits(family: Family, port: number, wish: PortWish): boolean {
    const taken = this.#taken[family];
    if (taken.has(port)) return false;
    if (wish === 'any') return true;
    return port % 2 === 0 && (wish === 'even' || (port < this.#range.last && !taken.has(port + 1)));
  }

  #expire(now: number): void {
    for (const [key, { relayed, until }] of this.#reservations) {
      if (until > now) return;
      this.#reservations.delete(key);
      this.release(relayed);
    }
  }
}

interface Reservation {
  readonly relayed: Endpoint;
  readonly until: number;
}

/** ms; the least that RFC 8656 section 7.2 allows. */
const RESERVATION_LIFETIME = 30_000;
