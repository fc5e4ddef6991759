import { simNetwork } from '../../../src/adapters/sim/index.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { PortMapper, PortMapperEnvironment, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import type { GatewaySpec, Host, Internet, LinkSpec, NatSpec, SimulatedNetwork } from '../../../src/sim/index.ts';
import { internet } from '../../../src/sim/index.ts';

/** A home with two hosts behind a router that maps ports, and a stranger on the internet. */
export interface Home {
  readonly world: Internet;
  readonly network: SimulatedNetwork;
  readonly host: Host;
  readonly neighbour: Host;
  readonly stranger: Host;
  /** What a port mapper on a host runs on. */
  environmentOf(host: Host): PortMapperEnvironment;
  /** A port mapper on a host; `host` by default. */
  mapper(factory: PortMapperFactory, host?: Host): PortMapper;
}

export interface HomeOptions {
  readonly nat?: NatSpec;
  /** Between each host and the router; no delay by default. */
  readonly link?: LinkSpec;
  readonly seed?: number;
}

export function home(gateway: GatewaySpec, { nat = {}, link, seed = 1 }: HomeOptions = {}): Home {
  const world = internet({ seed });
  const network = world.nat('home', nat, { gateway });
  const host = network.host('host', { link });
  const environmentOf = (on: Host): PortMapperEnvironment => ({
    network: simNetwork(on),
    clock: world.clock,
    random: world.random.stream(`mapper on ${on.name}`),
    log: silentLog,
  });
  return {
    world,
    network,
    host,
    neighbour: network.host('neighbour', { link }),
    stranger: world.host('stranger'),
    environmentOf,
    mapper: (factory, on = host) => factory(environmentOf(on)),
  };
}
