import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import type { Endpoint } from '../../../src/core/endpoint.ts';
import type { Mapping, PortMapperFactory } from '../../../src/core/port-mapper.ts';
import type { GatewaySpec } from '../../../src/sim/index.ts';
import { bytes, hearing } from '../datagrams.ts';
import { type Home, home } from './home.ts';

const HARD = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' } as const;

const CASES: readonly (readonly [string, PortMapperFactory, GatewaySpec])[] = [
  ['pcp', pcp(), { pcp: true }],
  ['nat-pmp', natPmp(), { natPmp: true }],
  ['upnp-igd, version 1', upnpIgd(), { upnp: 1 }],
  ['upnp-igd, version 2', upnpIgd(), { upnp: 2 }],
];

/** Whether a stranger's datagram comes in, and the answer gets back from where the stranger sent to. */
async function isReachedByUdp({ world, host, stranger }: Home, at: Endpoint, port: number): Promise<boolean> {
  const inside = host.udp.bind({ family: 4, port });
  inside.onDatagram = (data, from) => inside.send(data, from);
  const outside = hearing(stranger);
  let answeredFrom: Endpoint | undefined;
  outside.socket.onDatagram = (_data, from) => {
    answeredFrom = from;
  };
  outside.socket.send(bytes('knock'), at);
  await world.clock.advance(500);
  inside.close();
  outside.socket.close();
  if (answeredFrom !== undefined) expect(answeredFrom).toEqual(at);
  return answeredFrom !== undefined;
}

/** Whether a stranger's connection comes in. */
async function isReachedByTcp({ world, host, stranger }: Home, at: Endpoint, port: number): Promise<boolean> {
  const listener = host.tcp.listen({ port }, (socket) => void socket.write(bytes('come in')));
  const patience = new AbortController();
  const connecting = stranger.tcp.connect({ remote: at, signal: patience.signal }).then(
    async (socket) => {
      const heard = Buffer.from((await socket.read())!).toString();
      socket.destroy();
      return heard === 'come in';
    },
    () => false,
  );
  await world.clock.advance(2_000);
  patience.abort();
  listener.close();
  return world.clock.runUntil(connecting);
}

describe.each(CASES)('a port that is mapped by %s', (_name, factory, gateway) => {
  async function mapped(): Promise<{ at: Home; udp: Mapping; tcp: Mapping; release(): Promise<void> }> {
    const at = home(gateway, { nat: HARD });
    const mapper = at.mapper(factory);
    const map = (protocol: 'udp' | 'tcp', internalPort: number): Promise<Mapping> =>
      at.world.clock.runUntil(mapper.map({ protocol, internalPort, externalPort: 6000, lifetime: 600 }));
    const [udp, tcp] = [await map('udp', 5000), await map('tcp', 80)];
    const release = async (): Promise<void> => {
      for (const mapping of [udp, tcp]) await at.world.clock.runUntil(mapper.release(mapping));
    };
    return { at, udp, tcp, release };
  }

  const isReached = async (at: Home, udp: Mapping, tcp: Mapping): Promise<readonly boolean[]> => [
    await isReachedByUdp(at, udp.external, 5000),
    await isReachedByTcp(at, tcp.external, 80),
  ];

  it('lets strangers in until it is released', async () => {
    const { at, udp, tcp, release } = await mapped();
    expect(await isReached(at, udp, tcp)).toEqual([true, true]);
    await release();
    expect(await isReached(at, udp, tcp)).toEqual([false, false]);
  });

  it('lets strangers in until it expires', async () => {
    const { at, udp, tcp } = await mapped();
    await at.world.clock.run(udp.goodUntil - 30_000);
    expect(await isReached(at, udp, tcp)).toEqual([true, true]);
    // Flows that stand keep a mapping longer than its lease does.
    await at.world.clock.advance(4 * 3_600_000);
    expect(await isReached(at, udp, tcp)).toEqual([false, false]);
  });

  it('lets nobody in after the router has restarted', async () => {
    const { at, udp, tcp } = await mapped();
    at.world.happen({ type: 'reboot', network: 'home' });
    expect(await isReached(at, udp, tcp)).toEqual([false, false]);
  });
});
