import { expect, onTestFinished } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/network.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { Network } from '../../src/core/network.ts';
import type {
  MappingRequest,
  PortMapper,
  PortMapperEnvironment,
  PortMapperFactory,
} from '../../src/core/port-mapper.ts';
import { SSDP_GROUP, SSDP_PORT } from '../../src/protocol/upnp/index.ts';
import { drive } from '../adapters/port-mapper/drive.ts';
import { FakeGateway, type FakeGatewayOptions } from '../adapters/port-mapper/fake-gateway.ts';
import type { SsdpAnswerer } from '../adapters/port-mapper/loopback-network.ts';
import { routeTo } from '../adapters/port-mapper/mapper-world.ts';
import { type MemoryNetwork, memoryNetwork, settled } from '../adapters/port-mapper/memory-network.ts';
import { UdpGateway } from '../adapters/port-mapper/udp-gateway.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { type Cost, costOf } from './cost.ts';

/**
 * A victim at 127.0.0.2 whose default route leads to 127.0.0.1, where PCP, NAT-PMP and UPnP are spoken. UDP goes within the process, TCP
 * over loopback, and no packet leaves the machine; time passes as fast as the event loop turns.
 */
export interface GatewayWorld {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  /** The victim's, of clock, network and log. */
  readonly environment: PortMapperEnvironment;
  /** Where the victim opened TCP connections to, or tried to. */
  readonly called: readonly Endpoint[];
  /** What the victim logged, by event. */
  readonly logged: ReadonlyMap<string, number>;
  /** The gateway as PCP and NAT-PMP know it. */
  readonly udp: UdpGateway;
  /** The same as UPnP knows it; answers searches. */
  readonly igd: FakeGateway;
  mapper(factory: PortMapperFactory): PortMapper;
  /** Another device that speaks UPnP; whether and what it answers to a search is its own. */
  device(options: FakeGatewayOptions): Promise<FakeGateway>;
  /** Somebody else who answers searches, before the gateway does. */
  answering(answerer: SsdpAnswerer): Promise<void>;
  /** Hands a datagram to the victim's own sockets as if it had come from there. */
  forge(data: Uint8Array, from: Endpoint): void;
  /** Lets time pass until `promise` has settled. */
  drive<T>(promise: Promise<T>): Promise<T>;
  /** Lets `ms` pass in steps of 50, with all that happens in between. */
  pass(ms: number): Promise<void>;
  /** How calls end that are under way together: the code of an error, or `done`. */
  outcomes(...calls: Promise<unknown>[]): Promise<string[]>;
}

export const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };

/** Of the victim, and of the gateway. */
const HOST = '127.0.0.2';
export const GATEWAY = '127.0.0.1';

export async function gatewayWorld(): Promise<GatewayWorld> {
  const clock = manualClock();
  const logged = new Map<string, number>();
  const called: Endpoint[] = [];
  const tcp: Pick<Network, 'connect'> = {
    connect(options) {
      called.push(endpoint(options.host, options.port));
      return nodeNetwork().connect(options);
    },
  };
  const network: MemoryNetwork = Object.assign(memoryNetwork(), tcp);
  network.routes = [routeTo(GATEWAY, HOST)];
  network.addresses = [
    { name: 'eth0', address: HOST, family: 4, internal: false },
    { name: 'eth0', address: GATEWAY, family: 4, internal: false },
  ];
  const environment = {
    network,
    clock,
    random: seededRandom(5),
    log: (event: string) => void logged.set(event, (logged.get(event) ?? 0) + 1),
  };

  async function device(options: FakeGatewayOptions): Promise<FakeGateway> {
    const started = await FakeGateway.start(options);
    onTestFinished(() => started.stop());
    return started;
  }

  /** Each answer leaves from the address that the answerer names, once the search has come in. */
  async function answering(answerer: SsdpAnswerer): Promise<void> {
    const ear = await network.udp({ family: 4, port: SSDP_PORT, shared: true });
    ear.joinGroup?.(SSDP_GROUP, GATEWAY);
    ear.datagrams$.subscribe(({ data, from }) => {
      for (const { text, from: address } of answerer.answers(Buffer.from(data).toString('latin1'))) {
        network.forge({ data: Buffer.from(text, 'latin1'), from: endpoint(address, SSDP_PORT) }, from);
      }
    });
  }

  const udp = await UdpGateway.open({ network, clock, address: GATEWAY, externalAddress: '11.0.0.1' });
  const igd = await device({ address: GATEWAY });
  const world: GatewayWorld = {
    clock,
    network,
    environment,
    called,
    logged,
    udp,
    igd,
    mapper(factory) {
      const mapper = factory(environment);
      onTestFinished(async () => mapper.close());
      return mapper;
    },
    device,
    answering,
    forge(data, from) {
      for (const socket of network.open) if (socket.address === HOST) network.forge({ data, from }, socket);
    },
    drive: (promise) => drive(clock, promise),
    async pass(ms) {
      await settled();
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(Math.min(50, ms - passed));
        await settled();
      }
    },
    outcomes(...calls) {
      const ends = calls.map((call) =>
        call.then(
          () => 'done',
          (error: { code: string }) => error.code,
        ),
      );
      return drive(clock, Promise.all(ends));
    },
  };
  await answering(igd);
  return world;
}

/** Bounds of what one attack may cost, its mounting included. */
const MOST: Cost = { time: 3_000, memory: 64 };

/** Fails where `work` costs more than an attack may. */
export async function withinCost(work: () => Promise<unknown>): Promise<void> {
  const { time, memory } = await costOf(work);
  expect(time).toBeLessThan(MOST.time);
  expect(memory).toBeLessThan(MOST.memory);
}
