import { describe, expect, it, onTestFinished } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../../src/adapters/node/index.ts';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { silentLog } from '../../../src/core/log.ts';
import { routeTo } from './mapper-world.ts';
import { UdpGateway } from './udp-gateway.ts';

describe.each([
  { name: 'nat-pmp', address: '127.68.86.1', factory: natPmp() },
  { name: 'pcp', address: '127.68.87.1', factory: pcp() },
])('$name over sockets of the system', ({ address, factory }) => {
  it('maps, renews and releases', async () => {
    const network = { ...nodeNetwork(), gateways: async () => [routeTo(address, '127.0.0.1')] };
    const clock = systemClock();
    const gateway = await UdpGateway.open({ network, clock, address, externalAddress: '203.0.113.9' });
    const mapper = factory({ network, clock, random: cryptoRandom(), log: silentLog });
    onTestFinished(async () => {
      gateway.close();
      await mapper.close();
    });

    const mapping = await mapper.map({ protocol: 'udp', internalPort: 5000, externalPort: 6000 });
    expect(mapping.external).toEqual(endpoint('203.0.113.9', 6000));
    expect((await mapper.renew(mapping)).external).toEqual(mapping.external);
    await mapper.release(mapping);
    expect(gateway.table).toEqual([]);
  });
});
