import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { MappingRequest } from '../../../src/core/port-mapper.ts';
import { PCP_RESULT, type PcpResultName } from '../../../src/protocol/pcp/index.ts';
import { mapperWorld } from './mapper-world.ts';
import { settled } from './memory-network.ts';

const udp: MappingRequest = { protocol: 'udp', internalPort: 5000 };

describe('pcp', () => {
  it.each<[PcpResultName, string]>([
    ['NOT_AUTHORIZED', 'ERR_MAPPING_REFUSED'],
    ['MALFORMED_REQUEST', 'ERR_GATEWAY_PROTOCOL'],
    ['UNSUPP_OPCODE', 'ERR_MAPPING_REFUSED'],
    ['UNSUPP_OPTION', 'ERR_GATEWAY_PROTOCOL'],
    ['MALFORMED_OPTION', 'ERR_GATEWAY_PROTOCOL'],
    ['NETWORK_FAILURE', 'ERR_MAPPING_REFUSED'],
    ['NO_RESOURCES', 'ERR_MAPPING_EXHAUSTED'],
    ['UNSUPP_PROTOCOL', 'ERR_MAPPING_REFUSED'],
    ['USER_EX_QUOTA', 'ERR_MAPPING_EXHAUSTED'],
    ['CANNOT_PROVIDE_EXTERNAL', 'ERR_MAPPING_CONFLICT'],
    ['ADDRESS_MISMATCH', 'ERR_MAPPING_REFUSED'],
    ['EXCESSIVE_REMOTE_PEERS', 'ERR_MAPPING_EXHAUSTED'],
  ])('tells what %s means', async (result, code) => {
    const { mapper, gateway } = await mapperWorld(pcp());
    gateway.result = PCP_RESULT[result];
    await expect(mapper.map(udp)).rejects.toMatchObject({ code, result, retryAfter: 30_000 });
  });

  it('believes no error for longer than half an hour', async () => {
    const { mapper, gateway } = await mapperWorld(pcp());
    gateway.result = 200;
    gateway.errorLifetime = 0xffff_ffff;
    const failing = mapper.map(udp);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_GATEWAY_PROTOCOL', result: '200', retryAfter: 1_800_000 });
  });

  it('fails for a taken port also where the gateway does not know PREFER_FAILURE', async () => {
    const { mapper, gateway } = await mapperWorld(pcp());
    gateway.preferFailure = false;
    gateway.table.push({ protocol: 17, internal: '192.168.1.77', internalPort: 1, externalPort: 5000, lifetime: 60 });
    const failing = mapper.map({ ...udp, onConflict: 'fail' });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_MAPPING_CONFLICT' });
    expect(gateway.table).toHaveLength(1);
    expect((await mapper.map({ ...udp, externalPort: 6000, onConflict: 'fail' })).external.port).toBe(6000);
  });

  it('opens a pinhole for IPv6', async () => {
    const { mapper, network, addGateway } = await mapperWorld(pcp());
    const gateway = await addGateway('fe80::1%eth0', '2001:db8::2');
    network.addresses = [{ name: 'eth0', address: '2001:db8::2', family: 6, internal: false }];
    const mapping = await mapper.map({ ...udp, internalAddress: '2001:db8::2' });
    expect(mapping).toMatchObject({
      gateway: 'fe80::1%eth0',
      internal: endpoint('2001:db8::2', 5000),
      external: endpoint('2001:db8::2', 5000),
    });
    expect(gateway.table).toHaveLength(1);
    await mapper.release(mapping);
    expect(gateway.table).toEqual([]);
  });

  it('takes over what an earlier run with the same secret left', async () => {
    const secret = new Uint8Array(32).fill(9);
    const { mapper, gateway, another } = await mapperWorld(pcp({ secret }));
    const mapping = await mapper.map(udp);
    await mapper.close();
    expect((await another(pcp({ secret })).map(udp)).handle).toEqual(mapping.handle);
    await another(pcp({ secret })).renew(mapping);
    await another(pcp({ secret })).release(mapping);
    expect(gateway.table).toEqual([]);
  });

  it('is refused what a run with another secret left, and withdraws nothing of it', async () => {
    const { mapper, gateway, another } = await mapperWorld(pcp());
    await mapper.map(udp);
    const failing = another(pcp({ secret: new Uint8Array(32) })).map(udp);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_MAPPING_REFUSED', result: 'NOT_AUTHORIZED' });
    await settled();
    expect(gateway.table).toHaveLength(1);
  });

  it('does not renew a mapping that has lost its nonce', async () => {
    const { mapper } = await mapperWorld(pcp());
    const mapping = { ...(await mapper.map(udp)), handle: {} };
    await expect(mapper.renew(mapping)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('takes NO_RESOURCES for a deletion to mean that nothing was there, as miniupnpd does', async () => {
    const { mapper, gateway } = await mapperWorld(pcp());
    const mapping = await mapper.map(udp);
    gateway.result = PCP_RESULT.NO_RESOURCES;
    await mapper.release(mapping);
    gateway.result = PCP_RESULT.NOT_AUTHORIZED;
    await expect(mapper.release(mapping)).rejects.toMatchObject({ code: 'ERR_MAPPING_REFUSED' });
  });
});

describe('pcp at a gateway that speaks NAT-PMP only', () => {
  it('is unavailable at once', async () => {
    const { mapper, gateway } = await mapperWorld(pcp());
    gateway.pcp = false;
    const failing = mapper.map(udp);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE', result: 'UNSUPP_VERSION' });
    expect(gateway.requests).toEqual(['pcp MAP']);
  });

  it('goes down to it when it may', async () => {
    const { mapper, gateway, pass } = await mapperWorld(pcp({ fallback: natPmp() }));
    const restarts: unknown[] = [];
    mapper.restarts$.subscribe((restart) => restarts.push(restart));
    gateway.pcp = false;
    await pass(60_000);
    const mapping = await mapper.map(udp);
    expect(mapping.via).toBe('nat-pmp');
    expect((await mapper.renew(mapping)).via).toBe('nat-pmp');
    gateway.reboot();
    gateway.announce('natpmp');
    await settled();
    expect(restarts).toHaveLength(1);
    await mapper.renew(mapping);
    await mapper.release(mapping);
    expect(gateway.table).toEqual([]);
  });

  it('stays with PCP where that is spoken, and reports other failures as they are', async () => {
    const { mapper, gateway } = await mapperWorld(pcp({ fallback: natPmp() }));
    expect((await mapper.map(udp)).via).toBe('pcp');
    gateway.result = PCP_RESULT.NO_RESOURCES;
    await expect(mapper.map(udp)).rejects.toMatchObject({ code: 'ERR_MAPPING_EXHAUSTED' });
    expect(gateway.requests.every((request) => request.startsWith('pcp'))).toBe(true);
  });
});
