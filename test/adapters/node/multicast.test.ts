import { firstValueFrom, map } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeNetwork } from '../../../src/adapters/node/index.ts';
import { multicastInterface } from '../../../src/adapters/node/interfaces.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket, UdpOptions } from '../../../src/core/network.ts';

const network = nodeNetwork();
/** Of the block for documentation (RFC 5771 section 9.2). */
const GROUP = '233.252.0.77';

async function udp(options: Omit<UdpOptions, 'family'>): Promise<DatagramSocket> {
  const socket = await network.udp({ family: 4, ...options });
  onTestFinished(() => socket.close());
  return socket;
}

describe('nodeNetwork, multicast', () => {
  it('carries a datagram to all sockets that joined the group at that interface', async () => {
    const first = await udp({ shared: true });
    const second = await udp({ shared: true, port: first.local.port });
    const received = [first, second].map((socket) => {
      socket.joinGroup!(GROUP, '127.0.0.1');
      return firstValueFrom(socket.datagrams$.pipe(map(({ data, from }) => ({ data: [...data], from }))));
    });
    const sender = await udp({ address: '127.0.0.1' });
    expect(sender.send(Uint8Array.of(1, 2), endpoint(GROUP, first.local.port))).toBe(true);
    for (const one of await Promise.all(received)) expect(one).toEqual({ data: [1, 2], from: sender.local });
  });

  it('gives a port that is not shared to one socket only', async () => {
    const { port } = (await udp({})).local;
    await expect(udp({ port, shared: true })).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
  });

  it.each([
    ['a group that is none', '192.0.2.1', '127.0.0.1'],
    ['an address that is not ours', GROUP, '192.0.2.1'],
  ])('refuses %s', async (_what, group, address) => {
    const socket = await udp({});
    expect(() => socket.joinGroup!(group, address)).toThrow(expect.objectContaining({ code: 'ERR_NETWORK' }));
  });

  it('joins nothing with a closed socket', async () => {
    const socket = await udp({});
    socket.close();
    expect(() => socket.joinGroup!(GROUP, '127.0.0.1')).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  it('names the interface by its address, or by its zone for IPv6', () => {
    expect(multicastInterface('192.0.2.1')).toBe('192.0.2.1');
    expect(multicastInterface('fe80::1%eth7')).toBe('::%eth7');
    const loopback = network.interfaces().find(({ address }) => address === '::1');
    expect(multicastInterface('::1')).toBe(loopback === undefined ? '::' : `::%${loopback.name}`);
  });
});
