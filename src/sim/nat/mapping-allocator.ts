import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';
import { type Random, randomInteger } from '../../core/random.ts';
import type { Flow } from './mapping.ts';
import type { MappingTable } from './mapping-table.ts';
import type { NatRules } from './nat-spec.ts';
import { PortAllocator } from './port-allocator.ts';
import type { TransportPacket } from './session.ts';
import type { TurnedAway } from './turned-away.ts';

type Protocol = TransportPacket['protocol'];

/** A flow, or why there is none: no room in the table, no external port, no external address. */
export type Allocation = Flow | 'full' | 'exhausted' | 'unaddressed';

/** Finds or makes the mapping of a flow that begins inside (RFC 4787 section 4). */
export class MappingAllocator {
  /** External IPv4 addresses. */
  addresses: readonly string[] = [];
  readonly #rules: NatRules;
  readonly #random: Random;
  readonly #table: MappingTable;
  readonly #turnedAway: TurnedAway;
  readonly #ports: PortAllocator;

  constructor(rules: NatRules, random: Random, table: MappingTable, turnedAway: TurnedAway) {
    this.#rules = rules;
    this.#random = random;
    this.#table = table;
    this.#turnedAway = turnedAway;
    this.#ports = new PortAllocator(rules, random);
  }

  /** A new flow for the packet: on its explicit mapping, else on that of its scope, else on one of its own. */
  open({ protocol, source, destination }: TransportPacket, now: number): Allocation {
    if (this.#table.isFull(now)) return 'full';
    const scope = this.#scope(protocol, source, destination);
    const explicit = this.#table.mappingOf(explicitScope(protocol, source), now);
    const standing = explicit?.isLeased(now) ? explicit : this.#table.mappingOf(scope, now);
    if (standing !== undefined && this.#areFree(protocol, standing.external, destination, now)) {
      return this.#table.open(standing, destination, now);
    }
    const external = this.allocate(protocol, source, destination, now);
    if (typeof external === 'string') return external;
    const mapping = this.#table.add(protocol, source, external, now);
    if (this.#table.mappingOf(scope, now) === undefined) this.#table.enter(scope, mapping);
    return this.#table.open(mapping, destination, now);
  }

  /** An external endpoint for what an internal one sends to `remote`; without `remote`, one that nobody else has. */
  allocate(
    protocol: Protocol,
    internal: Endpoint,
    remote: Endpoint | undefined,
    now: number,
  ): Endpoint | 'exhausted' | 'unaddressed' {
    if (this.addresses.length === 0) return 'unaddressed';
    for (const address of this.#pool(internal)) {
      const at = (port: number): Endpoint => ({ address, port, family: 4 });
      const port = this.#ports.allocate(`${protocol} ${address}`, internal.port, {
        isFree: (port) =>
          this.#table.mappingsAt(protocol, at(port), now).length === 0 &&
          (remote === undefined || this.#areFree(protocol, at(port), remote, now)),
        isShareable: (port) =>
          this.#rules.portReuse !== 'none' && remote !== undefined && this.#areFree(protocol, at(port), remote, now),
      });
      if (port !== undefined) return at(port);
    }
    return 'exhausted';
  }

  /** The external address of a host's explicit mappings; `undefined` when there is none. */
  addressOf(host: string): string | undefined {
    return this.addresses[hostNumber(host) % this.addresses.length];
  }

  reset(): void {
    this.#ports.reset();
  }

  /** Addresses to try, in this order (RFC 4787 REQ-2). A paired host has one, found by its own address. */
  #pool(internal: Endpoint): readonly string[] {
    const { addresses } = this;
    if (addresses.length === 1) return addresses;
    if (this.#rules.pooling === 'paired') return [this.addressOf(internal.address)!];
    const start = randomInteger(this.#random, addresses.length);
    return [...addresses.slice(start), ...addresses.slice(0, start)];
  }

  /** Whether a flow may have these ends on the outside: none has them, or several may, and nobody was turned away there. */
  #areFree(protocol: Protocol, external: Endpoint, remote: Endpoint, now: number): boolean {
    if (this.#turnedAway.has(protocol, external, remote, now)) return false;
    return this.#rules.portReuse === 'overloading' || !this.#table.flowAt(protocol, external, remote, now);
  }

  /** What flows of one mapping have in common (RFC 4787 section 4.1). */
  #scope(protocol: Protocol, internal: Endpoint, remote: Endpoint): string {
    const from = `${protocol} ${formatEndpoint(internal)}`;
    switch (this.#rules.mapping) {
      case 'endpoint-independent':
        return from;
      case 'address-dependent':
        return `${from} ${remote.address}`;
      case 'address-and-port-dependent':
        return `${from} ${formatEndpoint(remote)}`;
    }
  }
}

/** The scope of an explicit mapping, which goes before all others (RFC 6887 section 3). */
export function explicitScope(protocol: Protocol, internal: Endpoint): string {
  return `explicit ${protocol} ${formatEndpoint(internal)}`;
}

function hostNumber(ipv4: string): number {
  return parseIp(ipv4)!.bytes.reduce((number, byte) => number * 256 + byte, 0);
}
