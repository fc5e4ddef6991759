import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import { mapperWorld } from './mapper-world.ts';
import { settled } from './memory-network.ts';

const GATEWAY = endpoint('192.168.1.1', 5351);
const udp = { protocol: 'udp', internalPort: 5000 } as const;

describe.each([
  { name: 'nat-pmp', factory: natPmp() },
  { name: 'pcp', factory: pcp() },
] as const)('the sockets of $name', ({ factory }) => {
  it('are opened anew after they broke, and a call under way fails', async () => {
    const { mapper, gateway, network } = await mapperWorld(factory);
    const mapping = await mapper.map(udp);
    gateway.silent = true;
    const failing = expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    await settled();
    network.breakSockets(new TraversalError('ERR_NETWORK', 'the interface is gone'), '192.168.1.2');
    await failing;
    gateway.silent = false;
    expect((await mapper.renew(mapping)).external).toEqual(mapping.external);
    await mapper.release(mapping);
    await settled();
    expect(network.open).toEqual([GATEWAY]);
  });

  it('are opened anew when they could not be had for a mapping that stands', async () => {
    const { mapper, network } = await mapperWorld(factory);
    const mapping = await mapper.map(udp);
    network.breakSockets(new TraversalError('ERR_NETWORK', 'the interface is gone'), '192.168.1.2');
    network.broken = true;
    await expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    network.broken = false;
    expect((await mapper.renew(mapping)).external).toEqual(mapping.external);
  });

  it('stay with a mapping of another port while one is renewed and released at once', async () => {
    const { mapper, gateway, network } = await mapperWorld(factory);
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    const [first] = [await mapper.map(udp), await mapper.map({ ...udp, internalPort: 5001 })];
    await Promise.allSettled([mapper.renew(first), mapper.release(first), mapper.release(first)]);
    await settled();
    expect(network.open.length).toBe(3);
    await mapper.release(await mapper.map({ ...udp, internalPort: 5001 }));
    await mapper.release(first);
    await settled();
    expect(network.open).toEqual([GATEWAY]);
    expect(gateway.table).toEqual([]);
  });
});
