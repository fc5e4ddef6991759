import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { MappingVia, PortMapper, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import type { GatewaySpec, LinkSpec } from '../../../src/sim/index.ts';
import { type PortMapperWorld, portMapperCompliance } from '../../../src/testing/compliance/index.ts';
import { addressOf } from '../datagrams.ts';
import { home } from './home.ts';

interface Case {
  readonly via: MappingVia;
  readonly factory: PortMapperFactory;
  readonly gateway: GatewaySpec;
  /** ms that a call may take. */
  readonly budget: number;
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

const NO_LIST = [{ test: 'lists what the gateway maps, for whomever', reason: 'the protocol has no list' }];

const CASES: readonly Case[] = [
  { via: 'pcp', factory: pcp(), gateway: { pcp: true }, budget: 2_050, skip: NO_LIST },
  { via: 'nat-pmp', factory: natPmp(), gateway: { natPmp: true }, budget: 2_050, skip: NO_LIST },
  { via: 'upnp-igd', factory: upnpIgd(), gateway: { upnp: 1 }, budget: 10_000 },
  { via: 'upnp-igd', factory: upnpIgd(), gateway: { upnp: 2, natPmp: true, pcp: true }, budget: 10_000 },
];

const LINKS: readonly (readonly [string, LinkSpec])[] = [
  ['by cable', {}],
  ['over Wi-Fi with 12 ms', { latency: 12, jitter: 3 }],
];

for (const { skip, ...one } of CASES) {
  for (const [how, link] of LINKS) {
    const name = `${one.via} at ${JSON.stringify(one.gateway)} ${how}`;
    portMapperCompliance({ name, skip, create: async () => worldOf(one, link) });
  }
}

/** In virtual time that goes on by itself. */
function worldOf({ via, factory, gateway, budget }: Case, link: LinkSpec): PortMapperWorld {
  const { world, network, host, neighbour, mapper } = home(gateway, { link });
  const { clock } = world;
  const stop = clock.start();
  const opened: PortMapper[] = [];
  return {
    via,
    clock,
    budget,
    host: addressOf(host),
    gateway: {
      address: '192.168.1.1',
      externalAddress: network.external[0]!,
      table: async () =>
        network.gateway!.table.entries(clock.now()).map(({ protocol, external, internal }) => ({
          protocol,
          externalPort: external.port,
          internal,
        })),
      async occupy(protocol, port) {
        const internal = endpoint(addressOf(neighbour), port);
        const wish = { protocol, internal, externalPort: port, lifetime: Number.POSITIVE_INFINITY };
        network.gateway!.table.add({ ...wish, description: 'a game' }, clock.now());
      },
      silence: async () => network.router.stop(),
      mature: () => new Promise((resolve) => clock.setTimeout(resolve, 60_000)),
      restart: async () => world.happen({ type: 'reboot', network: 'home' }),
    },
    async open() {
      const made = mapper(factory);
      opened.push(made);
      return made;
    },
    settle: (promise) => promise,
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await stop();
    },
  };
}
