import { endpoint } from '../core/endpoint.ts';
import { formatIp } from '../core/ip-address.ts';
import { usage } from './fields.ts';
import type { Host } from './host.ts';
import type { Internet } from './internet.ts';
import type { Link } from './link.ts';
import { udpPacket } from './packet.ts';
import { INTERNET, type WorldEvent } from './plan.ts';
import { addressAt, type Prefix } from './prefix.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

/** Makes an event happen to a world, now. Errors: `ERR_USAGE` with a path below `path` when it cannot happen as the world is. */
export function happen(world: Internet, event: WorldEvent, path: string): void {
  requirePossible(world, event, path);
  switch (event.type) {
    case 'reboot':
      restart(world, world.networkNamed(event.network).router, event.downFor);
      break;
    case 'restart':
      restart(world, world.hostNamed(event.host), event.downFor);
      break;
    case 'rebind':
      world.networkNamed(event.network).router.rebind();
      break;
    case 'readdress':
      world.networkNamed(event.network).connect(event.external, path);
      break;
    case 'roam':
      roam(world, event, path);
      break;
    case 'link':
      linkOf(world, event, path).up = event.state === 'up';
      break;
    case 'churn':
      churn(world, world.networkNamed(event.network), event);
  }
}

/**
 * Throws `ERR_USAGE`, with a path below `path`, where an event names what is not there or has not what the event is about. Where a
 * host is by then is not known before.
 */
export function requirePossible(world: Internet, event: WorldEvent, path: string): void {
  if ('host' in event && event.host !== undefined) world.hostNamed(event.host, `${path}.host`);
  switch (event.type) {
    case 'restart':
      return;
    case 'roam':
      for (const end of ['from', 'to'] as const) {
        if (event[end] !== INTERNET) world.networkNamed(event[end], `${path}.${end}`);
      }
      return;
    case 'link':
      if (event.host !== undefined && event.network === INTERNET) return;
  }
  const at = `${path}.network`;
  const network = world.networkNamed(event.network, at);
  if (event.type === 'rebind' && network.translator === undefined) {
    throw usage(at, `${network.name} has no NAT, and a rebind is of that`);
  }
  if (event.type === 'churn' && ipv4Of(network) === undefined) {
    throw usage(at, `${network.name} has no IPv4, and churn is of that`);
  }
}

type EventOf<T extends WorldEvent['type']> = Extract<WorldEvent, { readonly type: T }>;

function roam(world: Internet, { host: name, from, to, addresses, link }: EventOf<'roam'>, path: string): void {
  world.move(world.hostNamed(name), from, { network: to, addresses, link }, path);
}

function linkOf(world: Internet, { network, host }: EventOf<'link'>, path: string): Link {
  return host === undefined
    ? world.networkNamed(network).uplink
    : world.attachment(world.hostNamed(host), network, `${path}.network`).link;
}

function restart(world: Internet, host: Host, downFor = 0): void {
  host.stop();
  if (downFor === 0) host.start();
  else world.clock.setTimeout(() => host.start(), downFor);
}

/** A host that is not simulated sends from one new port after the other, each packet to somewhere else. */
function churn(world: Internet, network: SimulatedNetwork, { rate, lasts }: { rate: number; lasts: number }): void {
  const { name, router } = network;
  const random = world.random.stream(`churn ${name} ${world.clock.now()}`);
  const somebody = addressAt(ipv4Of(network)!, NOBODY)!;
  const end = world.clock.now() + lasts;
  const next = (): void => {
    if (world.clock.now() >= end) return;
    const target = formatIp(Uint8Array.of(1 + random.below(9), ...random.bytes(3)));
    const source = endpoint(somebody, 1024 + random.below(64_512));
    router.passOutbound(udpPacket(source, endpoint(target, 1 + random.below(65_535)), new Uint8Array(0)));
    world.clock.setTimeout(next, 1_000 / rate);
  };
  next();
}

function ipv4Of({ realm }: SimulatedNetwork): Prefix | undefined {
  return realm.prefixes.find(({ family }) => family === 4);
}

/** The address, counted from that of the network, of the host that makes background traffic: no simulated one gets it by itself. */
const NOBODY = 5;
