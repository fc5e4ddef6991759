import { cryptoRandom, nodeNetwork, systemClock } from '../../../src/adapters/node/index.ts';
import { createNatUpnpMapper } from '../../../src/adapters/port-mapper/nat-upnp/natupnp-mapper.ts';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { Network } from '../../../src/core/network.ts';
import type { PortMapper, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import { PCP_PROTOCOL } from '../../../src/protocol/pcp/index.ts';
import type { GatewayUnderTest, PortMapperWorld } from '../../../src/testing/compliance/index.ts';
import { manualClock } from '../../manual-clock.ts';
import { drive } from './drive.ts';
import { FakeGateway } from './fake-gateway.ts';
import { loopbackNetwork } from './loopback-network.ts';
import { routeTo } from './mapper-world.ts';
import { withLocation } from './nat-upnp-package.ts';
import { UdpGateway } from './udp-gateway.ts';

/** Real sockets on loopback, gateways of our own, and time that passes as fast as the event loop turns. */

const HOST = '127.0.0.1';
const STRANGER = '192.168.1.9';

/** Port mappers that are closed with their world. */
function mappersOf(make: () => PortMapper): Pick<PortMapperWorld, 'open' | 'close'> {
  const opened: PortMapper[] = [];
  return {
    async open() {
      const mapper = make();
      opened.push(mapper);
      return mapper;
    },
    async close() {
      await Promise.all(opened.map((mapper) => mapper.close()));
    },
  };
}

/** A gateway at `address` of loopback that is asked over UDP. */
export async function udpWorld(
  via: 'nat-pmp' | 'pcp',
  factory: PortMapperFactory,
  address: string,
): Promise<PortMapperWorld> {
  const clock = manualClock();
  const network: Network = {
    ...nodeNetwork(),
    gateways: async () => [routeTo(address, HOST)],
    interfaces: () => [{ name: 'eth0', address: HOST, family: 4, internal: false }],
  };
  const externalAddress = '11.0.0.1';
  const gateway = await UdpGateway.open({ network, clock, address, externalAddress });
  const { open, close } = mappersOf(() => factory({ network, clock, random: cryptoRandom(), log: silentLog }));
  return {
    via,
    clock,
    budget: 2_050,
    host: HOST,
    gateway: {
      address,
      externalAddress,
      table: async () =>
        gateway.table.map(({ protocol, externalPort, internal, internalPort }) => ({
          protocol: protocol === PCP_PROTOCOL.udp ? 'udp' : 'tcp',
          externalPort,
          internal: endpoint(internal, internalPort),
        })),
      async occupy(protocol, port) {
        const entry = { internal: STRANGER, internalPort: port, externalPort: port, lifetime: 600 };
        gateway.table.push({ protocol: PCP_PROTOCOL[protocol], ...entry });
      },
      async silence() {
        gateway.silent = true;
      },
      mature: async () => clock.advance(60_000),
      restart: async () => gateway.reboot(),
    },
    open,
    settle: (promise) => drive(clock, promise),
    async close() {
      await drive(clock, close());
      gateway.close();
    },
  };
}

export async function upnpWorld(version: 1 | 2): Promise<PortMapperWorld> {
  const clock = manualClock();
  const gateway = await FakeGateway.start({ version });
  const { network } = loopbackNetwork({ answerers: [gateway] });
  const { open, close } = mappersOf(() => upnpIgd()({ network, clock, random: cryptoRandom(), log: silentLog }));
  return {
    via: 'upnp-igd',
    clock,
    budget: 10_000,
    host: HOST,
    gateway: upnpGateway(gateway),
    open,
    settle: (promise) => drive(clock, promise),
    async close() {
      await drive(clock, close());
      await gateway.stop();
    },
  };
}

/** Its threads live by the system's time. */
export async function natUpnpWorld(): Promise<PortMapperWorld> {
  const clock = systemClock();
  const gateway = await FakeGateway.start({ version: 2 });
  const { network } = loopbackNetwork({ answerers: [] });
  const environment = { network, clock, random: cryptoRandom(), log: silentLog };
  const timeout = 5_000;
  let location = gateway.location();
  const { open, close } = mappersOf(() =>
    createNatUpnpMapper(environment, { timeout, module: withLocation(location) }),
  );
  const under = upnpGateway(gateway);
  return {
    via: 'nat-upnp',
    clock,
    budget: timeout + 500,
    host: HOST,
    gateway: {
      ...under,
      async silence() {
        location = 'none';
        await under.silence();
      },
    },
    open,
    settle: (promise) => promise,
    async close() {
      await close();
      await gateway.stop();
    },
  };
}

function upnpGateway(gateway: FakeGateway): GatewayUnderTest {
  return {
    address: gateway.address,
    externalAddress: gateway.externalAddress,
    table: async () =>
      gateway.table.map(({ protocol, externalPort, internalClient, internalPort }) => ({
        protocol,
        externalPort,
        internal: endpoint(internalClient, internalPort),
      })),
    async occupy(protocol, port) {
      const entry = { internalClient: STRANGER, internalPort: port, description: 'a game', lease: 0 };
      gateway.table.push({ protocol, externalPort: port, ...entry });
    },
    async silence() {
      gateway.intercept = () => true;
      gateway.answers = () => [];
    },
    async mature() {}, // what it says of itself does not depend on that
    async restart() {
      gateway.table.length = 0;
      gateway.bootId = '2';
    },
  };
}
