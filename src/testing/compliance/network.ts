import { expect } from 'vitest';
import { tcpTests } from './network-tcp.ts';
import { tcpBytesTests } from './network-tcp-bytes.ts';
import { udpTests } from './network-udp.ts';
import { NetworkBench, type NetworkWorld } from './network-world.ts';
import { type Compliance, comply, type Suite, type Test } from './suite.ts';

/** What every `Network` owes its users, whatever carries the bytes. Nothing here depends on how fast they travel. */
export function networkCompliance(options: Compliance<NetworkWorld>): void {
  comply(networkSuite, options);
}

export const networkSuite: Suite<NetworkWorld, NetworkBench> = {
  contract: 'a Network',
  bench: NetworkBench,
  groups: {
    UDP: udpTests,
    'TCP connections': tcpTests,
    'bytes over TCP': tcpBytesTests,
    'names and addresses': nameTests,
  },
};

function nameTests(test: Test<NetworkBench>): void {
  test('answers a numeric address with its canonical text', async ({ client }) => {
    expect(await client.resolve('2001:DB8:0::1')).toEqual(['2001:db8::1']);
    expect(await client.resolve('192.0.2.1', { family: 4 })).toEqual(['192.0.2.1']);
  });

  test('has no answer in the other family', async ({ client }) => {
    await expect(client.resolve('192.0.2.1', { family: 6 })).rejects.toMatchObject({ code: 'ERR_RESOLVE' });
  });

  test('does not resolve for an aborted signal', async ({ client }) => {
    const resolving = client.resolve('192.0.2.1', { signal: AbortSignal.abort() });
    await expect(resolving).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('lists the addresses of the host', async ({ server, address, family }) => {
    expect(server.interfaces()).toContainEqual(expect.objectContaining({ address, family }));
  });
}
