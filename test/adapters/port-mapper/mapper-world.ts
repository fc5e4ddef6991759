import { onTestFinished } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { Gateway } from '../../../src/core/network.ts';
import type { PortMapper, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';
import { type MemoryNetwork, memoryNetwork, settled } from './memory-network.ts';
import { UdpGateway } from './udp-gateway.ts';

/** A host, its gateway at 192.168.1.1 and a port mapper, in virtual time. */
export interface MapperWorld {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly gateway: UdpGateway;
  readonly mapper: PortMapper;
  /** Another mapper on the same host. */
  another(factory: PortMapperFactory): PortMapper;
  addGateway(address: string, local: string): Promise<UdpGateway>;
  /** Lets `ms` pass in steps, with all that happens in between. */
  pass(ms: number): Promise<void>;
}

export async function mapperWorld(factory: PortMapperFactory): Promise<MapperWorld> {
  const [clock, network] = [manualClock(), memoryNetwork()];
  const environment = { network, clock, random: seededRandom('mapper'), log: silentLog };
  const another = (make: PortMapperFactory): PortMapper => {
    const mapper = make(environment);
    onTestFinished(async () => mapper.close());
    return mapper;
  };
  const addGateway = async (address: string, local: string): Promise<UdpGateway> => {
    const { family } = endpoint(address, 0);
    const externalAddress = family === 4 ? '203.0.113.9' : local;
    const gateway = await UdpGateway.open({ network, clock, address, externalAddress });
    network.routes = [...network.routes, routeTo(address, local)];
    return gateway;
  };
  return {
    clock,
    network,
    gateway: await addGateway('192.168.1.1', '192.168.1.2'),
    mapper: another(factory),
    another,
    addGateway,
    async pass(ms) {
      await settled();
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(Math.min(50, ms - passed));
        await settled();
      }
    },
  };
}

export function routeTo(address: string, local: string): Gateway {
  return { address, local, family: endpoint(address, 0).family, interface: 'eth0' };
}
