import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import type { Network } from '../../src/core/network.ts';
import type { PortMapperFactory } from '../../src/core/port-mapper.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { type FakeMapper, fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { manualClock } from '../manual-clock.ts';
import { createWorld, type World } from './world.ts';

const clocks = vi.hoisted(() => new WeakMap<PortMapperFactory, Clock>());

/** The leases of each peer have a clock of their own, found by their mapper. */
vi.mock('../../src/leases/port-leases.ts', async (importOriginal) => {
  const real = await importOriginal<typeof import('../../src/leases/port-leases.ts')>();
  const createPortLeases: typeof real.createPortLeases = (options) =>
    real.createPortLeases({ ...options, clock: clocks.get(options.mappers[0]!)! });
  return { createPortLeases };
});

/** A peer on a LAN, and its leases at a gateway of the test. */
async function peerAtGateway(world: World, answer: FakeMapper['answer'] = () => {}) {
  const gateway = fakeMapper();
  gateway.answer = answer;
  const clock = manualClock();
  const { network: loopback } = await world.inhabitant();
  const network: Network = {
    ...loopback,
    interfaces: () => [...loopback.interfaces(), { name: 'eth0', address: '192.168.1.2', family: 4, internal: false }],
  };
  clocks.set(gateway.factory, clock);
  const { peer } = await world.inhabitant({ env: { network, mappers: [gateway.factory] } });
  return { gateway, clock, peer };
}

const untilMapped = async (peer: Peer): Promise<readonly string[]> => {
  const mapped$ = peer.reachability$.pipe(filter(({ candidates }) => candidates.some(({ type }) => type === 'mapped')));
  const { candidates } = await firstValueFrom(mapped$);
  return candidates.filter(({ type }) => type === 'mapped').map(({ endpoint: at }) => formatEndpoint(at));
};

describe('a peer at a gateway', () => {
  it('is reached at the port that it was granted, as long as it lives', async () => {
    await using world = createWorld();
    const { gateway, peer } = await peerAtGateway(world);
    const told = await untilMapped(peer);
    expect(told).toEqual([...gateway.table.values()].map(({ external }) => formatEndpoint(external)));
    expect(told).toEqual([expect.stringMatching(/^203\.0\.113\.9:/)]);
    await peer.close();
    expect([gateway.table.size, gateway.open]).toEqual([0, 0]);
  });

  it('has another address when the gateway has another one after a restart', async () => {
    await using world = createWorld();
    const { gateway, clock, peer } = await peerAtGateway(world);
    await untilMapped(peer);
    clock.advance(60_000);
    gateway.externalAddress = '203.0.113.10';
    gateway.restart();
    await vi.waitFor(async () => expect(await untilMapped(peer)).toEqual([expect.stringMatching(/^203\.0\.113\.10:/)]));
  });

  it('is closed in time when the gateway has gone, and when it never answered', async () => {
    await using world = createWorld();
    const gone = await peerAtGateway(world);
    await untilMapped(gone.peer);
    gone.gateway.answer = () => new Promise(() => {});
    const closed = gone.peer.close();
    await vi.waitFor(() => expect(gone.gateway.calls.at(-1)).toMatch(/^release udp/));
    gone.clock.advance(3_000);
    await closed;
    const silent = await peerAtGateway(world, () => new Promise(() => {}));
    await silent.peer.close();
    expect([gone.gateway.open, silent.gateway.open, gone.clock.pending, silent.clock.pending]).toEqual([0, 0, 0, 0]);
  });
});
