import { endpoint } from '../core/endpoint.ts';
import { formatIp } from '../core/ip-address.ts';
import { usage } from './fields.ts';
import type { Host } from './host.ts';
import type { Internet } from './internet.ts';
import type { Link } from './link.ts';
import type { Network } from './network.ts';
import { udpPacket } from './packet.ts';
import { INTERNET, type WorldEvent } from './plan.ts';
import { addressAt } from './prefix.ts';

/** Makes an event happen to a world, now. Errors: `ERR_USAGE` when it names what is not there. */
export function happen(world: Internet, event: WorldEvent): void {
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
      world.networkNamed(event.network).connect(event.external);
      break;
    case 'roam':
      roam(world, event);
      break;
    case 'link':
      linkOf(world, event).up = event.state === 'up';
      break;
    case 'churn':
      churn(world, world.networkNamed(event.network), event);
  }
}

/** Throws `ERR_USAGE`, with a path below `path`, where an event names what is not there. */
export function requireNames(world: Internet, event: WorldEvent, path: string): void {
  const named =
    event.type === 'roam' ? { from: event.from, to: event.to } : 'network' in event ? { network: event.network } : {};
  for (const [field, name] of Object.entries(named))
    if (name !== INTERNET) world.networkNamed(name, `${path}.${field}`);
  if ('host' in event && event.host !== undefined) world.hostNamed(event.host, `${path}.host`);
}

type EventOf<T extends WorldEvent['type']> = Extract<WorldEvent, { readonly type: T }>;

function roam(world: Internet, { host: name, from, to, addresses, link }: EventOf<'roam'>): void {
  world.move(world.hostNamed(name), from, { network: to, addresses, link });
}

function linkOf(world: Internet, { network, host }: EventOf<'link'>): Link {
  return host === undefined
    ? world.networkNamed(network).uplink
    : world.attachment(world.hostNamed(host), network).link;
}

function restart(world: Internet, host: Host, downFor = 0): void {
  host.stop();
  if (downFor === 0) host.start();
  else world.clock.setTimeout(() => host.start(), downFor);
}

/** A host that is not simulated sends from one new port after the other, each packet to somewhere else. */
function churn(
  world: Internet,
  { name, router, realm }: Network,
  { rate, lasts }: { rate: number; lasts: number },
): void {
  const block = realm.prefixes.find(({ family }) => family === 4);
  if (block === undefined) throw usage('network', `${name} has no IPv4, and churn is of that`);
  const random = world.random.stream(`churn ${name} ${world.clock.now()}`);
  const somebody = addressAt(block, NOBODY)!;
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

/** The address, counted from that of the network, of the host that makes background traffic: no simulated one gets it by itself. */
const NOBODY = 5;
