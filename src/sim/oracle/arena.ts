import { type Endpoint, type Family, formatEndpoint } from '../../core/endpoint.ts';
import type { GatewayTable } from '../../protocol/gateway-table.ts';
import { createFirewall, type Firewall } from '../firewall.ts';
import { createRouterTable } from '../gateway/router-table.ts';
import type { Middlebox, Ruling } from '../middlebox.ts';
import { createNat, type Nat } from '../nat/nat.ts';
import type { TransportPacket } from '../nat/session.ts';
import type { Packet } from '../packet.ts';
import { INTERNET } from '../plan.ts';
import { type SeededRandom, seededRandom } from '../seeded-random.ts';
import { externalAddresses, type Location, type TopologyNetwork } from './topology.ts';

/** Takes a packet that came to its endpoint. `isHairpinned`: a NAT turned it around. */
export type PacketHandler = (packet: TransportPacket, isHairpinned: boolean) => void;

/** A network and what stands above it. */
interface Realm {
  /** What is reached from here: a host, or the router of a network below through which to reach it. */
  readonly routes: Map<string, Router | 'host'>;
  /** The way up; none on the internet. */
  readonly router: Router | undefined;
}

interface Router {
  readonly network: TopologyNetwork;
  readonly nat: Nat | undefined;
  readonly firewall: Firewall | undefined;
  /** From the inside to the outside. */
  readonly boxes: readonly Middlebox[];
  readonly inside: Realm;
  readonly above: Realm;
}

/**
 * The boxes of a topology, the very ones of the simulator, without links or time: packets go up as far as they have to at
 * once, wait at the turning point, and come down when `settle` is called. So what both sides sent before has left all their
 * NATs before any of it arrives.
 */
export class Arena {
  /** Virtual time in ms. It stands still, so that nothing expires. */
  readonly now = 0;
  readonly #random: SeededRandom;
  readonly #internet: Realm = { routes: new Map(), router: undefined };
  readonly #realms = new Map([[INTERNET, this.#internet]]);
  readonly #handlers = new Map<string, PacketHandler>();
  readonly #turning: { readonly packet: TransportPacket; readonly at: Realm; readonly isHairpinned: boolean }[] = [];
  #hosts = 0;

  /** `seed`: of the NATs' chance. */
  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Puts a host at a location; gives its address. */
  attach(location: Location, family: Family): string {
    const realm = this.#realmAt(location);
    const address = this.#newAddress(family);
    realm.routes.set(address, 'host');
    announce(address, family, realm);
    return address;
  }

  /** What the gateway of the location's own network maps, if it has one: that is the one that its hosts ask. */
  gatewayOf(location: Location): GatewayTable | undefined {
    const { router } = this.#realmAt(location);
    return router?.network.gateway && createRouterTable(router);
  }

  /** Hands packets that come to an endpoint to the handler, in the place of the one before. */
  bind(protocol: TransportPacket['protocol'], at: Endpoint, handler: PacketHandler): void {
    this.#handlers.set(`${protocol} ${formatEndpoint(at)}`, handler);
  }

  /**
   * Sends a packet of a host at the location; gives it as it arrives at the turning point, if it does. With `isShort`, its time to live
   * ends there.
   */
  send(location: Location, packet: TransportPacket, isShort = false): TransportPacket | undefined {
    return this.#ascend(packet, this.#realmAt(location), isShort);
  }

  /** Lets all that waits come down, and what is sent in answer, until nothing waits. */
  settle(): void {
    for (let next = this.#turning.shift(); next !== undefined; next = this.#turning.shift()) {
      this.#descend(next.packet, next.at, next.isHairpinned);
    }
  }

  #ascend(packet: TransportPacket, from: Realm, isShort: boolean): TransportPacket | undefined {
    let passing = packet;
    let realm = from;
    let isHairpinned = false;
    while (!realm.routes.has(passing.destination.address)) {
      const { router } = realm;
      if (router === undefined) return undefined;
      const passed = this.#pass(passing, router.boxes, 'outbound', realm);
      if (passed === undefined) return undefined;
      passing = passed;
      isHairpinned = realm.routes.has(passing.destination.address);
      if (!isHairpinned) realm = router.above;
    }
    if (realm.router?.network.isolated && !isHairpinned) return undefined;
    if (!isShort) this.#turning.push({ packet: passing, at: realm, isHairpinned });
    return passing;
  }

  #descend(packet: TransportPacket, at: Realm, isHairpinned: boolean): void {
    let passing = packet;
    let realm = at;
    let way = realm.routes.get(passing.destination.address);
    while (way !== undefined && way !== 'host') {
      const passed = this.#pass(passing, way.boxes.toReversed(), 'inbound', realm);
      if (passed === undefined) return;
      passing = passed;
      realm = way.inside;
      way = realm.routes.get(passing.destination.address);
    }
    if (way === 'host') {
      this.#handlers.get(`${passing.protocol} ${formatEndpoint(passing.destination)}`)?.(passing, isHairpinned);
    }
  }

  /** The packet behind the boxes, if it gets there. RSTs in its stead go back to where it came from. */
  #pass(
    packet: TransportPacket,
    boxes: readonly Middlebox[],
    direction: 'outbound' | 'inbound',
    from: Realm,
  ): TransportPacket | undefined {
    let passing: Packet = packet;
    for (const box of boxes) {
      const ruling: Ruling = box[direction](passing, this.now);
      if (ruling.action === 'reply' && ruling.packet.protocol !== 'icmp') this.#ascend(ruling.packet, from, false);
      if (ruling.action !== 'forward') return undefined;
      passing = ruling.packet;
    }
    return passing.protocol === 'icmp' ? undefined : passing;
  }

  #realmAt(location: Location): Realm {
    const [network, ...above] = location;
    if (network === undefined) return this.#internet;
    return this.#realms.get(network.name) ?? this.#build(network, this.#realmAt(above));
  }

  #build(network: TopologyNetwork, above: Realm): Realm {
    const nat = network.nat === undefined ? undefined : createNat(network.nat, this.#random.stream(network.name));
    const firewall = network.firewall === undefined ? undefined : createFirewall(network.firewall);
    const routes: Realm['routes'] = new Map();
    const router: Router = {
      network,
      nat,
      firewall,
      boxes: [firewall, nat].filter((box) => box !== undefined),
      above,
      get inside() {
        return realm;
      },
    };
    const realm: Realm = { routes, router };
    const addresses = Array.from({ length: externalAddresses(network) }, () => this.#newAddress(4));
    for (const address of addresses) {
      above.routes.set(address, router);
      announce(address, 4, above);
    }
    nat?.readdress(addresses, this.now);
    this.#realms.set(network.name, realm);
    return realm;
  }

  /** Nobody else's: which addresses they are does not matter to the boxes. */
  #newAddress(family: Family): string {
    this.#hosts++;
    return family === 4 ? `10.0.${this.#hosts >> 8}.${this.#hosts & 255}` : `2001:db8::${this.#hosts.toString(16)}`;
  }
}

/** Makes the address reachable from above, as far as no NAT stands in between. */
function announce(address: string, family: Family, from: Realm): void {
  for (let { router } = from; router !== undefined; { router } = router.above) {
    if (family === 4 && router.nat !== undefined) return;
    router.above.routes.set(address, router);
  }
}
