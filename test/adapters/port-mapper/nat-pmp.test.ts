import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { NATPMP_RESULT } from '../../../src/protocol/natpmp/index.ts';
import { mapperWorld } from './mapper-world.ts';
import { settled } from './memory-network.ts';

describe('natPmp', () => {
  it.each([
    [NATPMP_RESULT.notAuthorized, 'ERR_MAPPING_REFUSED', 'Not Authorized/Refused'],
    [NATPMP_RESULT.networkFailure, 'ERR_MAPPING_REFUSED', 'Network Failure'],
    [NATPMP_RESULT.outOfResources, 'ERR_MAPPING_EXHAUSTED', 'Out of resources'],
    [NATPMP_RESULT.unsupportedOpcode, 'ERR_MAPPING_REFUSED', 'Unsupported opcode'],
    [99, 'ERR_GATEWAY_PROTOCOL', 'result code 99'],
  ])('tells what result %d means', async (code, expected, result) => {
    const { mapper, gateway } = await mapperWorld(natPmp());
    gateway.result = code;
    const failing = mapper.map({ protocol: 'udp', internalPort: 5000 });
    await expect(failing).rejects.toMatchObject({ code: expected, result });
    await settled();
    expect(gateway.requests).toEqual(['natpmp external-address', 'natpmp udp']);
  });

  it('asks for the external address first, and for no mapping where that is not answered', async () => {
    const { mapper, gateway, pass } = await mapperWorld(natPmp());
    gateway.silent = true;
    const failing = expect(mapper.map({ protocol: 'udp', internalPort: 5000 })).rejects.toThrow();
    await pass(2000);
    await failing;
    expect(new Set(gateway.requests)).toEqual(new Set(['natpmp external-address']));
  });

  it('hears the announcement of a gateway that speaks PCP as well', async () => {
    const { mapper, gateway, pass } = await mapperWorld(natPmp());
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await pass(60_000);
    await mapper.map({ protocol: 'udp', internalPort: 5000 });
    gateway.reboot();
    gateway.announce('pcp');
    await settled();
    expect(restarts).toHaveLength(1);
  });

  it('tells of another external address, as of a restart', async () => {
    const { mapper, gateway } = await mapperWorld(natPmp());
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    await mapper.map({ protocol: 'udp', internalPort: 5000 });
    gateway.externalAddress = '203.0.113.10';
    gateway.announce('natpmp');
    await settled();
    expect(restarts).toHaveLength(1);
  });

  it('knows IPv4 only', async () => {
    const { mapper } = await mapperWorld(natPmp());
    const failing = mapper.map({ protocol: 'udp', internalPort: 5000, internalAddress: '2001:db8::2' });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
  });

  it('takes no longer than it is told', async () => {
    const { mapper, gateway, pass } = await mapperWorld(natPmp({ timeout: 300 }));
    gateway.silent = true;
    const failing = expect(mapper.map({ protocol: 'udp', internalPort: 5000 })).rejects.toThrow();
    await pass(300);
    await failing;
    expect(gateway.requests).toHaveLength(2);
  });
});
