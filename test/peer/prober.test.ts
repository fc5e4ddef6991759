import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import type { Prober } from '../../src/core/strategy.ts';
import { PROBE_BUDGET } from '../../src/protocol/spray/index.ts';
import { type Internet, internet } from '../../src/sim/index.ts';
import { type ProbingSide, twoSides } from './probing-side.ts';

interface Two {
  readonly world: Internet;
  readonly alice: ProbingSide;
  readonly bob: ProbingSide;
}

async function meet(options?: Parameters<typeof twoSides>[1]): Promise<Two> {
  const world = internet({ seed: 1 });
  const [alice, bob] = await twoSides(world, options);
  return { world, alice, bob };
}

/** What a prober hears; `end` when that is over. */
function listen(prober: Prober): string[] {
  const heard: string[] = [];
  prober.heard$.subscribe({ next: (from) => heard.push(formatEndpoint(from)), complete: () => heard.push('end') });
  return heard;
}

async function socketOf(
  { world }: Two,
  side: ProbingSide,
): Promise<{ readonly socket: DatagramSocket; readonly at: Endpoint }> {
  const socket = await world.clock.runUntil(side.network.udp({ family: 4 }));
  return { socket, at: endpoint(side.address, socket.local.port) };
}

describe('a prober on a socket of the strategy', () => {
  it('is heard by its like on the other side', async () => {
    const two = await meet();
    const near = await socketOf(two, two.alice);
    const far = await socketOf(two, two.bob);
    const heard = listen(two.bob.prober(far.socket));
    expect(two.alice.prober(near.socket).send(far.at)).toBe(true);
    await two.world.clock.advance(40);
    expect(heard).toEqual([formatEndpoint(near.at)]);
  });

  it('hears the answer of the other side’s agent', async () => {
    const two = await meet();
    const near = await socketOf(two, two.alice);
    two.bob.ice.hearChecks(() => {});
    const prober = two.alice.prober(near.socket);
    const heard = listen(prober);
    prober.send(two.bob.at);
    await two.world.clock.advance(80);
    // Its check, too, is heard: the agent wants to know who that was.
    expect(new Set(heard)).toEqual(new Set([formatEndpoint(two.bob.at)]));
    expect(heard).toHaveLength(2);
  });

  it('is not heard without the password', async () => {
    const two = await meet({ theirs: { ufrag: 'RRRR', pwd: 'a password that is not the right one' } });
    const near = await socketOf(two, two.alice);
    const far = await socketOf(two, two.bob);
    const heard = listen(two.bob.prober(far.socket));
    expect(two.alice.prober(near.socket).send(far.at)).toBe(true);
    await two.world.clock.advance(100);
    expect(heard).toEqual([]);
  });

  it('answers nobody before the socket is validated', async () => {
    const two = await meet();
    const near = await socketOf(two, two.alice);
    const far = await socketOf(two, two.bob);
    const heard = listen(two.alice.prober(near.socket));
    const answers: string[] = [];
    far.socket.datagrams$.subscribe(({ from }) => answers.push(formatEndpoint(from)));
    two.bob.prober(far.socket).send(near.at);
    await two.world.clock.advance(200);
    expect([heard.length, answers]).toEqual([1, []]);
  });

  it('sends to addresses only that the other side has told, or was heard from', async () => {
    const two = await meet();
    const { socket } = await socketOf(two, two.bob);
    const prober = two.bob.prober(socket);
    two.bob.told.length = 0;
    const stranger = endpoint('203.0.113.99', 5000);
    expect(prober.send(two.alice.at)).toBe(false);
    expect(prober.send(stranger)).toBe(false);
    const near = await socketOf(two, two.alice);
    two.alice.prober(near.socket).send(endpoint(two.bob.address, socket.local.port));
    await two.world.clock.advance(40);
    expect(prober.send(near.at)).toBe(true);
    expect(prober.send(stranger)).toBe(false);
  });

  it.each(['127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'])(
    'sends nothing to %s, though it was told',
    async (address) => {
      const two = await meet();
      const { socket } = await socketOf(two, two.alice);
      two.alice.learn(address);
      expect(two.alice.prober(socket).send(endpoint(address, 5000))).toBe(false);
      expect(two.alice.prober(socket).send(endpoint(two.bob.address, 0))).toBe(false);
    },
  );

  it('sends to loopback where that is a candidate', async () => {
    const two = await meet({ loopback: true });
    const { socket } = await socketOf(two, two.alice);
    two.alice.learn('127.0.0.1');
    expect(two.alice.prober(socket).send(endpoint('127.0.0.1', 5000))).toBe(true);
  });

  it('sends no more to one address than all probers of the peer may together', async () => {
    const two = await meet({ packets: 10_000 });
    const [one, other] = [await socketOf(two, two.alice), await socketOf(two, two.alice)];
    const probers = [two.alice.prober(one.socket), two.alice.prober(other.socket), two.alice.prober()];
    let sent = 0;
    for (let i = 0; i < 3000; i++) {
      if (probers[i % 3]!.send(endpoint(two.bob.address, 1024 + i))) sent++;
      if (i % 50 === 0) await two.world.clock.advance(10);
    }
    expect(sent).toBe(PROBE_BUDGET.address);
  });

  it('ends with the socket', async () => {
    const two = await meet();
    const { socket } = await socketOf(two, two.alice);
    const prober = two.alice.prober(socket);
    const heard = listen(prober);
    socket.close();
    await two.world.clock.advance(1);
    expect(heard).toEqual(['end']);
    expect(prober.send(two.bob.at)).toBe(false);
  });
});

describe('a prober on the peer’s own socket', () => {
  it('hears who checks it from a new address', async () => {
    const two = await meet();
    const heard = listen(two.bob.prober());
    const near = await socketOf(two, two.alice);
    two.alice.prober(near.socket).send(two.bob.at);
    await two.world.clock.advance(40);
    expect(heard).toEqual([formatEndpoint(near.at)]);
  });

  it('hears the answers to what it sends, which are counted', async () => {
    const two = await meet();
    two.bob.ice.hearChecks(() => {});
    const prober = two.alice.prober();
    const heard = listen(prober);
    prober.send(two.bob.at);
    await two.world.clock.advance(80);
    expect(heard).toContain(formatEndpoint(two.bob.at));
    expect(two.alice.heard).toBe(1);
  });

  it('sends no more than the run may', async () => {
    const { alice, bob } = await meet({ packets: 2 });
    const prober = alice.prober();
    expect([prober.send(bob.at), prober.send(bob.at), prober.send(bob.at)]).toEqual([true, true, false]);
  });

  it('ends with the run', async () => {
    const { alice, bob } = await meet();
    const prober = alice.prober();
    const heard = listen(prober);
    alice.abort.abort(new Error('the run is over'));
    expect(heard).toEqual(['end']);
    expect(prober.send(bob.at)).toBe(false);
    expect(listen(alice.prober())).toEqual(['end']);
  });
});
