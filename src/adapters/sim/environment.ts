import type { Environment } from '../../core/environment.ts';
import type { Host } from '../../sim/host.ts';
import type { Internet } from '../../sim/internet.ts';
import { simNetwork } from './network.ts';

/** What a simulated internet gives of the environment of a peer on one of its hosts: network, time, and chance of its own. */
export function simEnvironment(world: Internet, host: Host): Pick<Environment, 'network' | 'clock' | 'random'> {
  return { network: simNetwork(host), clock: world.clock, random: world.random.stream(`peer ${host.name}`) };
}
