import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/adapters/node/clock.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import type { MappingProtocol, MappingVia, PortMapper } from '../../src/core/port-mapper.ts';
import { type PortMapperWorld, portMapperCompliance, type TableEntry } from '../../src/testing/compliance/index.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { RemoteMappers } from './net/mapper/remote-mappers.ts';
import { Miniupnpd, type MiniupnpdOptions } from './net/miniupnpd.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

interface Case {
  readonly via: MappingVia;
  readonly gateway: MiniupnpdOptions;
  /** ms that a call takes at most when nobody answers, with what the machine needs to say so. */
  readonly budget: number;
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

const NO_LIST = [{ test: 'lists what the gateway maps, for whomever', reason: 'the protocol has no list' }];

const CASES: readonly Case[] = [
  { via: 'pcp', gateway: { natPmp: true }, budget: 3_000, skip: NO_LIST },
  { via: 'nat-pmp', gateway: { natPmp: true }, budget: 3_000, skip: NO_LIST },
  { via: 'upnp-igd', gateway: { igd: 1 }, budget: 11_000 },
  { via: 'upnp-igd', gateway: { igd: 2 }, budget: 11_000 },
  { via: 'nat-upnp', gateway: { igd: 2 }, budget: 11_000 },
];

for (const { via, gateway, budget, skip = [] } of CASES) {
  const version = gateway.igd === undefined ? '' : `, version ${gateway.igd},`;
  describeInLab(`miniupnpd${version} in the laboratory`, () => {
    let home: Home;
    beforeAll(async () => {
      home = await Home.open(gateway);
    });
    afterAll(() => home.close());
    portMapperCompliance({ name: via, skip, create: () => home.world(via, budget) });
  });
}

/** A site whose gateway runs miniupnpd: what the worlds of one suite have in common. */
class Home {
  readonly #lab: Lab;
  readonly #site: Site;
  readonly #options: MiniupnpdOptions;
  readonly #daemon: Miniupnpd;
  readonly #mappers: RemoteMappers;
  #startedAt = 0;

  static async open(options: MiniupnpdOptions): Promise<Home> {
    const lab = await createLab();
    const site = await lab.site('home', { nat: NATS['EI/APD'], hosts: 2 });
    const daemon = await Miniupnpd.start(site.nat, options);
    return new Home(lab, site, options, daemon, await RemoteMappers.start(site.hosts[0]!));
  }

  private constructor(lab: Lab, site: Site, options: MiniupnpdOptions, daemon: Miniupnpd, mappers: RemoteMappers) {
    this.#lab = lab;
    this.#site = site;
    this.#options = options;
    this.#daemon = daemon;
    this.#mappers = mappers;
  }

  /** With a gateway that has just been switched on. */
  async world(via: MappingVia, budget: number): Promise<PortMapperWorld> {
    await this.#daemon.reboot();
    this.#startedAt = CLOCK.now();
    const [host, neighbour] = this.#site.hosts;
    const opened: PortMapper[] = [];
    return {
      via,
      clock: CLOCK,
      budget,
      host: host!.address,
      gateway: {
        address: this.#site.nat.lanAddress,
        externalAddress: this.#site.publicAddress,
        table: () => this.#table(),
        occupy: (protocol, port) => this.#occupy(neighbour!, protocol, port),
        silence: async () => this.#daemon.freeze(),
        mature: () => this.#mature(),
        restart: () => this.#daemon.reboot(),
      },
      open: async () => {
        const mapper = await this.#mappers.open(via);
        opened.push(mapper);
        return mapper;
      },
      settle: (promise) => promise,
      close: async () => {
        await Promise.all(opened.map((mapper) => mapper.close()));
      },
    };
  }

  async close(): Promise<void> {
    await this.#lab.close();
  }

  async #table(): Promise<readonly TableEntry[]> {
    const forwarded = await this.#daemon.forwarded();
    return forwarded.map(({ protocol, externalPort, address, port }) => ({
      protocol,
      externalPort,
      internal: endpoint(address, port),
    }));
  }

  /** By programs that are not ours, for 600 s. */
  async #occupy(host: Host, protocol: MappingProtocol, port: number): Promise<void> {
    const ports = [String(port), String(port)];
    if (this.#options.igd === undefined) {
      await host.run('natpmpc', ['-a', ...ports, protocol, '600']);
    } else {
      const mapping = [host.address, ...ports, protocol.toUpperCase(), '600'];
      await host.run('upnpc', ['-u', this.#daemon.descriptionUrl, '-a', ...mapping]);
    }
  }

  /** What UPnP says of itself does not depend on that. */
  async #mature(): Promise<void> {
    const left = this.#startedAt + OLD_ENOUGH - CLOCK.now();
    if (this.#options.igd === undefined) await new Promise<void>((resolve) => CLOCK.setTimeout(resolve, left));
  }
}

const CLOCK = systemClock();

/** ms of the gateway's life after which its epoch must tell that it has restarted: 7/8 of them are more than 2 s (RFC 6886 section 3.6). */
const OLD_ENOUGH = 4_000;
