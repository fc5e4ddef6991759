import { usage } from './fields.ts';
import { FreeBlocks } from './free-blocks.ts';
import { Host } from './host.ts';
import type { Interface } from './interface.ts';
import { Link } from './link.ts';
import type { PacketWatch } from './packet-log.ts';
import { Place, type WorldBuilder } from './place.ts';
import {
  type HostPlan,
  INTERNET,
  type InterfacePlan,
  type InternetPlan,
  type NetworkPlan,
  type PlannedEvent,
  type WorldEvent,
} from './plan.ts';
import { readHost, readInterface, readInternetPlan, readNetwork, readWorldEvent } from './plan-reader.ts';
import { PublicRealm } from './public-realm.ts';
import type { Realm } from './realm.ts';
import type { SeededRandom } from './seeded-random.ts';
import { startService } from './services/service.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { type Simulation, simulation } from './simulation.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { happen, requirePossible } from './world-events.ts';

/** A simulated internet, by a plan or empty, to be added to. Errors: `ERR_USAGE` with the path of what is wrong in the plan. */
export function internet(plan: InternetPlan): Internet {
  const { seed, networks = [], hosts = [], events = [] } = readInternetPlan(plan);
  const world = new Internet(seed);
  for (const [i, network] of networks.entries()) world.addNetwork(network, `networks[${i}]`);
  for (const [i, host] of hosts.entries()) world.addHost(host, `hosts[${i}]`);
  for (const [i, { at, ...event }] of events.entries()) world.schedule(at, event, `events[${i}]`);
  return world;
}

/** How a host is joined to a network. */
export interface Attached {
  readonly interface: Interface;
  readonly link: Link;
}

interface Resident {
  readonly host: Host;
  readonly plan: Omit<HostPlan, 'interfaces'>;
  /** As they were planned. */
  readonly interfaces: InterfacePlan[];
  /** As they are, by network. */
  readonly attached: Map<string, Attached>;
  /** How often it has joined a network. */
  joins: number;
}

/** A world of networks and hosts, in one virtual time and by one seed. Made by {@link internet}. */
export class Internet extends Place implements WorldBuilder {
  readonly #simulation: Simulation;
  readonly #public: PublicRealm;
  readonly #blocks = new FreeBlocks();
  readonly #networks = new Map<string, SimulatedNetwork>();
  readonly #residents = new Map<string, Resident>();
  readonly #seed: number | string;
  readonly #networkPlans: NetworkPlan[] = [];
  readonly #events: PlannedEvent[] = [];

  constructor(seed: number | string) {
    super(INTERNET);
    this.#seed = seed;
    this.#simulation = simulation(seed);
    this.#public = new PublicRealm(this.#simulation);
  }

  get clock(): VirtualClock {
    return this.#simulation.clock;
  }

  /** Chance for whoever lives in this world: take a stream of it by name. */
  get random(): SeededRandom {
    return this.#simulation.random;
  }

  /** What this world was built from, as plain data; what has happened to it since is not in it. */
  get plan(): InternetPlan {
    const hosts = [...this.#residents.values()].map(({ plan, interfaces }) => ({ ...plan, interfaces }));
    return structuredClone({ seed: this.#seed, networks: this.#networkPlans, hosts, events: this.#events });
  }

  /** In the order in which they were added. */
  get networks(): readonly SimulatedNetwork[] {
    return [...this.#networks.values()];
  }

  get hosts(): readonly Host[] {
    return [...this.#residents.values()].map(({ host }) => host);
  }

  /** Errors: `ERR_USAGE` when there is none of that name. */
  networkNamed(name: string, path = 'network'): SimulatedNetwork {
    const found = this.#networks.get(name);
    if (found === undefined) throw usage(path, `there is no network ${name}`);
    return found;
  }

  /** Errors: `ERR_USAGE` when there is none of that name. */
  hostNamed(name: string, path = 'host'): Host {
    const found = this.#residents.get(name);
    if (found === undefined) throw usage(path, `there is no host ${name}`);
    return found.host;
  }

  /** Adds a network below one that is there. Errors: `ERR_USAGE` with a path below `path`. */
  addNetwork(plan: NetworkPlan, path = plan.name): SimulatedNetwork {
    const { name, above = INTERNET, ...spec } = readNetwork(plan, path);
    this.#requireFree(name, `${path}.name`);
    const site = { name, above: this.#realm(above, `${path}.above`), spec, blocks: this.#blocks, path };
    const network = new SimulatedNetwork(this.#simulation, this, site);
    this.#networks.set(name, network);
    this.#networkPlans.push({ name, above, ...spec });
    return network;
  }

  /** Adds a host to networks that are there. Errors: `ERR_USAGE` with a path below `path`. */
  addHost(plan: HostPlan, path = plan.name): Host {
    const { name, interfaces, ...spec } = readHost(plan, path);
    this.#requireFree(name, `${path}.name`);
    for (const [i, alias] of (spec.aliases ?? []).entries()) this.#requireFree(alias, `${path}.aliases[${i}]`);
    const host = new Host(this.#simulation, name, spec);
    this.#residents.set(name, { host, plan: { name, ...spec }, interfaces: [], attached: new Map(), joins: 0 });
    for (const [i, one] of interfaces.entries()) this.attach(host, one, `${path}.interfaces[${i}]`);
    const { services = [] } = spec;
    const random = this.random.stream(`services ${name}`);
    for (const [i, service] of services.entries()) {
      startService(service, { host, clock: this.clock, random, services, path: `${path}.services[${i}]` });
    }
    return host;
  }

  /** Joins a host to one more network. Errors: `ERR_USAGE` with a path below `path`. */
  attach(host: Host, plan: InterfacePlan, path = host.name): void {
    this.#join(host, plan, path);
    this.#residents.get(host.name)!.interfaces.push(plan);
  }

  /** Takes a host out of a network, where its interface and addresses are gone, and into another. Errors: `ERR_USAGE`. */
  move(host: Host, from: string, to: InterfacePlan, path = host.name): void {
    const { interface: at } = this.attachment(host, from, `${path}.from`);
    const { attached } = this.#residents.get(host.name)!;
    this.#realm(to.network, `${path}.to`);
    if (to.network !== from && attached.has(to.network)) {
      throw usage(`${path}.to`, `${host.name} is in ${to.network} already`);
    }
    this.#realm(from, `${path}.from`).leave(host, at);
    host.removeInterface(at);
    attached.delete(from);
    this.#join(host, to, path);
  }

  /** Errors: `ERR_USAGE` when the host is not in the network. */
  attachment(host: Host, network: string, path = 'network'): Attached {
    const found = this.#residents.get(host.name)?.attached.get(network);
    if (found === undefined) throw usage(path, `${host.name} is not in ${network}`);
    return found;
  }

  /** Makes something happen now. Errors: `ERR_USAGE` with a path below `path`. */
  happen(event: WorldEvent, path = 'event'): void {
    happen(this, readWorldEvent(event, path), path);
  }

  /**
   * Makes something happen `at` ms of virtual time, which is in the future. Errors: `ERR_USAGE` with a path below `path`,
   * when it names what is not there yet or what it is about is missing there; and from the run of the clock, when a host is not where it
   * should be by then.
   */
  schedule(at: number, event: WorldEvent, path = 'event'): void {
    requirePossible(this, readWorldEvent(event, path), path);
    this.clock.setTimeout(() => this.happen(event, path), at - this.clock.now());
    this.#events.push({ at, ...event });
  }

  /** Shows `watch` what becomes of every packet from now on; the returned function ends that. */
  watch(watch: PacketWatch): () => void {
    return this.#simulation.log.watch(watch);
  }

  protected override get builder(): WorldBuilder {
    return this;
  }

  #join(host: Host, plan: InterfacePlan, path: string): void {
    const { network, addresses: named, link: spec } = readInterface(plan, path);
    const realm = this.#realm(network, `${path}.network`);
    const resident = this.#residents.get(host.name)!;
    const { attached } = resident;
    if (attached.has(network)) throw usage(`${path}.network`, `${host.name} is in ${network} already`);
    const addresses =
      named?.map((address, i) => realm.addresses.take(address, `${path}.addresses[${i}]`)) ??
      realm.addresses.families.map((family) => realm.addresses.takeFree(family, `${path}.addresses`));
    resident.joins++;
    const link = new Link(this.#simulation, `${host.name}@${network}`, spec ?? realm.defaultLink, resident.joins);
    const added = host.addInterface(freeName(host));
    realm.join(host, added, addresses, link);
    attached.set(network, { interface: added, link });
  }

  /**
   * Names are places in the packet log, names of chance, and what others resolve: what has none of its own would be taken for
   * the other.
   */
  #requireFree(name: string, path: string): void {
    if (name === INTERNET || this.#networks.has(name)) throw usage(path, `there is a network ${name} already`);
    if (this.#residents.has(name)) throw usage(path, `there is a host ${name} already`);
    if (this.#simulation.names.has(name)) throw usage(path, `somebody has the name ${name} already`);
  }

  #realm(name: string, path: string): Realm {
    return name === INTERNET ? this.#public : this.networkNamed(name, path).realm;
  }
}

function freeName(host: Host): string {
  for (let i = 0; ; i++) if (host.interfaces.every(({ name }) => name !== `eth${i}`)) return `eth${i}`;
}
