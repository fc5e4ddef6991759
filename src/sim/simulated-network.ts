import type { Family } from '../core/endpoint.ts';
import { usage } from './fields.ts';
import { createFirewall, type Firewall } from './firewall.ts';
import type { FreeBlocks } from './free-blocks.ts';
import { Gateway } from './gateway/gateway.ts';
import { Link } from './link.ts';
import type { LinkSpec } from './link-spec.ts';
import { LocalRealm } from './local-realm.ts';
import { createNat, type Nat } from './nat/nat.ts';
import { familyOf } from './node.ts';
import { Place, type WorldBuilder } from './place.ts';
import type { NetworkSpec } from './plan.ts';
import { formatPrefix, overlap, type Prefix, parsePrefix } from './prefix.ts';
import type { Realm } from './realm.ts';
import { Router } from './router.ts';
import type { Simulation } from './simulation.ts';

/** What a network is built from. */
export interface NetworkSite {
  readonly name: string;
  /** The network above. */
  readonly above: Realm;
  readonly spec: NetworkSpec;
  readonly blocks: FreeBlocks;
  /** Of the spec, for errors. */
  readonly path: string;
}

/** A network of a simulated internet: what is behind one router. */
export class SimulatedNetwork extends Place {
  readonly router: Router;
  /** The NAT in the router; absent where nothing is translated. */
  readonly translator: Nat | undefined;
  readonly firewall: Firewall | undefined;
  /** What maps ports for those who ask; absent where nothing does. */
  readonly gateway: Gateway | undefined;
  /** Between the router and the network above. */
  readonly uplink: Link;
  readonly realm: LocalRealm;
  protected readonly builder: WorldBuilder;

  /** Made by `Internet.addNetwork`. Errors: `ERR_USAGE`. */
  constructor(simulation: Simulation, builder: WorldBuilder, { name, above, spec, blocks, path }: NetworkSite) {
    super(name);
    this.builder = builder;
    const prefixes = prefixesOf(spec, above, blocks, path);
    this.translator = spec.nat && createNat(spec.nat, simulation.random.stream(`nat ${name}`));
    this.firewall = spec.firewall && createFirewall(spec.firewall);
    const boxes = [this.firewall, this.translator].filter((box) => box !== undefined);
    this.router = new Router(simulation, name, boxes);
    const { isolated = false } = spec;
    const translated = this.translator !== undefined;
    this.realm = new LocalRealm(simulation, { name, prefixes, isolated, translated, above, router: this.router });
    this.uplink = new Link(simulation, `${name} uplink`, spec.uplink ?? UPLINK);
    this.connect(spec.external, path);
    this.gateway =
      spec.gateway &&
      new Gateway(spec.gateway, {
        router: this.router,
        inside: this.realm.inside,
        nat: this.translator,
        firewall: this.firewall,
        clock: simulation.clock,
        random: simulation.random.stream(`gateway ${name}`),
      });
  }

  /** Addresses of the router in the network above, the pool of its NAT. */
  get external(): readonly string[] {
    return this.realm.external;
  }

  /**
   * Gives the router its addresses in the network above: those that are named, and a free one of each other family that it needs.
   * Errors: `ERR_USAGE`.
   */
  connect(named: readonly string[] = [], path = this.name): void {
    const { above, prefixes } = this.realm;
    this.realm.disconnect();
    const taken = named.map((address, i) => above.addresses.take(address, `${path}.external[${i}]`));
    const missing = prefixes
      .map(({ family }) => family)
      .filter((family) => !taken.some((one) => familyOf(one) === family));
    const free = missing.map((family) => above.addresses.takeFree(family, `${path}.external`));
    this.realm.connect([...taken, ...free], this.uplink, path);
    this.gateway?.readdressed();
  }
}

function prefixesOf(
  { nat, ipv4, ipv6 = false }: NetworkSpec,
  above: Realm,
  blocks: FreeBlocks,
  path: string,
): Prefix[] {
  const prefixes: Prefix[] = [];
  if (typeof ipv4 === 'string') prefixes.push(readPrefix(ipv4, 4, `${path}.ipv4`));
  else if (ipv4 === undefined) prefixes.push(nat === undefined ? blocks.ipv4(above.isPublic(4)) : homeBlock(above));
  if (typeof ipv6 === 'string') prefixes.push(readPrefix(ipv6, 6, `${path}.ipv6`));
  else if (ipv6) prefixes.push(blocks.ipv6());
  if (prefixes.length === 0) throw usage(path, 'must have IPv4 or IPv6 or both');
  const clash = prefixes.find((prefix) => isUsedAbove(prefix, above));
  if (clash !== undefined) throw usage(path, `${formatPrefix(clash)} overlaps a network above`);
  return prefixes;
}

/** What home routers come with, 192.168.1.0/24, or the next one that no network above has. */
function homeBlock(above: Realm): Prefix {
  for (let third = 1; ; third++) {
    const block = parsePrefix(`192.168.${third}.0/24`)!;
    if (!isUsedAbove(block, above)) return block;
  }
}

function isUsedAbove(prefix: Prefix, above: Realm | undefined): boolean {
  if (above === undefined) return false;
  return above.prefixes.some((other) => overlap(prefix, other)) || isUsedAbove(prefix, above.above);
}

function readPrefix(text: string, family: Family, path: string): Prefix {
  const prefix = parsePrefix(text);
  const { min, max } = LENGTHS[family];
  if (prefix !== undefined && prefix.family === family && prefix.length >= min && prefix.length <= max) return prefix;
  throw usage(path, `must be an IPv${family} block such as ${EXAMPLE[family]}, of ${min} to ${max} bits, not ${text}`);
}

const LENGTHS = { 4: { min: 8, max: 29 }, 6: { min: 64, max: 64 } } as const;
const EXAMPLE = { 4: '192.168.1.0/24', 6: '2001:db8:1:2::/64' } as const;
/** Of a network that says nothing of it: 80 ms there and back between two of them. */
const UPLINK: LinkSpec = { latency: 20 };
