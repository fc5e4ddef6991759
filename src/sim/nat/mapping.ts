import type { Endpoint } from '../../core/endpoint.ts';
import type { Filter } from './filter.ts';
import type { Session, TransportPacket } from './session.ts';

/** An internal endpoint's place on the outside (RFC 4787 section 4.1). */
export class Mapping {
  readonly protocol: TransportPacket['protocol'];
  readonly internal: Endpoint;
  readonly external: Endpoint;
  readonly filter: Filter;
  readonly flows = new Set<Flow>();
  /** By which flows of the inside find it: what they have in common. */
  readonly scopes = new Set<string>();
  /** Set while it stands by an explicit request. */
  lease: Lease | undefined;
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(protocol: TransportPacket['protocol'], internal: Endpoint, external: Endpoint, filter: Filter) {
    this.protocol = protocol;
    this.internal = internal;
    this.external = external;
    this.filter = filter;
  }

  /** Lives as long as its lease, any of its flows, or what strangers whom it let in made it. */
  isAlive(now: number): boolean {
    if (this.isLeased(now) || now < this.#heldUntil) return true;
    for (const { session } of this.flows) if (session.isAlive(now)) return true;
    return false;
  }

  isLeased(now: number): boolean {
    return this.lease !== undefined && now < this.lease.until;
  }

  /** Keeps it until then, at least. */
  hold(until: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, until);
  }
}

/** Packets between an internal and a remote endpoint by way of one mapping. */
export interface Flow {
  readonly mapping: Mapping;
  readonly remote: Endpoint;
  /** What the inside takes for the remote endpoint; another one only where a clash was renumbered. */
  readonly seenAs: Endpoint;
  readonly session: Session;
}

export interface Lease {
  /** Virtual time in ms; `Infinity` for one without end. */
  readonly until: number;
  readonly description: string;
}
