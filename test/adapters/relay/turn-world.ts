import { turnRelay } from '../../../src/adapters/relay/turn.ts';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import { ProgramNetwork } from '../../../src/scenario/program-network.ts';
import { type InternetPlan, internet, type TurnServiceSpec } from '../../../src/sim/index.ts';
import type { RelayUser } from './relayed-pairs.ts';

export const USER = 'alice';
export const PASSWORD = 'wonderland';

/** Two hosts behind NATs that let nobody through to each other, and a TURN server `relay` on the internet. */
export function turnWorld(service: Partial<TurnServiceSpec> = {}, more: Partial<InternetPlan> = {}) {
  const nat = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' } as const;
  const world = internet({
    seed: 5,
    networks: [
      { name: 'home', nat: { ...nat, portAllocation: 'random' } },
      { name: 'office', nat: { ...nat, portAllocation: 'random' } },
    ],
    hosts: [
      {
        name: 'relay',
        interfaces: [{ network: 'internet' }],
        services: [{ type: 'turn', users: { [USER]: PASSWORD }, ...service }],
      },
      { name: 'alice', interfaces: [{ network: 'home' }] },
      { name: 'bob', interfaces: [{ network: 'office' }] },
    ],
    ...more,
  });
  const networks = new Map<string, ProgramNetwork>();
  const log: [event: string, fields: Readonly<Record<string, unknown>> | undefined][] = [];
  return {
    world,
    clock: world.clock,
    /** What the relays of all programs have logged. */
    log,
    server: world.hostNamed('relay'),
    /** Sockets and connections of the program on that host. */
    open: (host: string): number => networks.get(host)?.open ?? 0,
    /** A program on the host of that name, which asks that server. */
    user(host: string, url = `turn:${USER}:${PASSWORD}@relay`): RelayUser {
      const on = world.hostNamed(host);
      const network = new ProgramNetwork(simNetwork(on));
      networks.set(host, network);
      return {
        relay: turnRelay(url),
        environment: {
          network,
          clock: on.clock,
          random: on.random.stream('a program with a relay'),
          log: (event, fields) => log.push([event, fields]),
        },
      };
    },
  };
}
