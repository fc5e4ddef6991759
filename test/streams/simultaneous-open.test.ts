import { lastValueFrom, Observable, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../src/adapters/sim/index.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { ByteSocket } from '../../src/core/network.ts';
import { type Internet, internet, type NatSpec } from '../../src/sim/index.ts';
import { simultaneousOpen } from '../../src/streams/simultaneous-open.ts';
import { stunOverTcp } from '../../src/streams/stun-over-tcp.ts';
import { addressOf } from '../sim/datagrams.ts';

const PORT = 5000;

/** A server with STUN, and Alice and Bob each behind a NAT, 80 ms apart. */
function homes(alice: NatSpec, bob: NatSpec): Internet {
  const world = internet({ seed: 1 });
  world.host('server', { services: [{ type: 'stun' }] });
  world.nat('home a', alice).host('alice');
  world.nat('home b', bob).host('bob');
  return world;
}

/** Where the server sees the port of a host; the connection stays open. */
async function reflexive(world: Internet, name: string): Promise<Endpoint> {
  const network = simNetwork(world.hostNamed(name));
  const asked = (async () => {
    const socket = await network.connect({ host: 'server', port: 3478, localPort: PORT });
    const signal = new AbortController().signal;
    return stunOverTcp({ socket, clock: world.clock, random: world.random.stream(`stun ${name}`), signal });
  })();
  return (await world.clock.runUntil(asked)).mapped;
}

interface Dials {
  readonly remotes: readonly Endpoint[];
  readonly syns?: number;
  readonly listens?: boolean;
  /** ms before the first dial. */
  readonly after?: number;
}

/** All connections that a host opens; the first ends the dials. */
function dial(world: Internet, name: string, options: Dials): Promise<readonly ByteSocket[]> {
  const { remotes, syns = 20, listens = false, after = 0 } = options;
  const network = simNetwork(world.hostNamed(name));
  const { clock } = world;
  const random = world.random.stream(`dials ${name}`);
  const late$ = new Observable<ByteSocket>((subscriber) => {
    const opens$ = simultaneousOpen({ network, clock, random, localPort: PORT, remotes, syns, time: 4000, listens });
    clock.setTimeout(() => subscriber.add(opens$.subscribe(subscriber)), after);
  });
  return lastValueFrom(late$.pipe(toArray()));
}

/** SYNs that a host has sent from now on, by where to. */
function syns(world: Internet, name: string): Map<string, number> {
  const counts = new Map<string, number>();
  world.watch(({ fate, place, packet }) => {
    if (fate !== 'sent' || place !== name || packet.protocol !== 'tcp') return;
    if (!packet.segment.syn || packet.segment.ack) return;
    const to = formatEndpoint(packet.destination);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  });
  return counts;
}

const DROPS: NatSpec = { tcp: { unsolicitedSyn: 'drop' } };
const RESETS: NatSpec = { tcp: { unsolicitedSyn: 'reset' } };

describe('TCP simultaneous open', () => {
  it.each<[string, NatSpec, number, number]>([
    ['at the same time', DROPS, 0, 1],
    ['when the other side begins a little later', DROPS, 30, 1],
    ['when the other side begins much later', DROPS, 1500, 2],
    ['when NATs answer with RST, at the same time', RESETS, 0, 1],
    ['when NATs answer with RST, and the other side begins later', RESETS, 500, 20],
  ])('joins two that are behind NATs, %s', async (_name, nat, after, most) => {
    const world = homes(nat, nat);
    const [a, b] = [await reflexive(world, 'alice'), await reflexive(world, 'bob')];
    const sent = syns(world, 'alice');
    const both = Promise.all([dial(world, 'alice', { remotes: [b] }), dial(world, 'bob', { remotes: [a], after })]);
    const [[alice], [bob]] = (await world.clock.runUntil(both)) as [ByteSocket[], ByteSocket[]];
    expect(alice?.remote).toEqual(b);
    expect(bob?.remote).toEqual(a);
    expect(sent.get(formatEndpoint(b))).toBeLessThanOrEqual(most);
    await world.clock.runUntil(alice!.write(Buffer.from('hello')));
    expect(Buffer.from((await world.clock.runUntil(bob!.read()))!).toString()).toBe('hello');
  });

  it('sends one SYN a dial, and no more than was said, where nobody answers', async () => {
    const world = homes(DROPS, DROPS);
    const nobody = await reflexive(world, 'bob');
    const others = [endpoint(nobody.address, 6001), endpoint(nobody.address, 6002), endpoint(nobody.address, 6003)];
    const sent = syns(world, 'alice');
    const opened = await world.clock.runUntil(dial(world, 'alice', { remotes: [nobody, ...others] }));
    expect(opened).toEqual([]);
    expect([...sent.values()]).toEqual([5, 5, 5, 5]);
    expect(world.hostNamed('alice').tcp.open).toBe(0);
  });

  it('ends in time where there are SYNs left', async () => {
    const world = homes(DROPS, DROPS);
    const nobody = await reflexive(world, 'bob');
    const sent = syns(world, 'alice');
    const since = world.clock.now();
    await world.clock.runUntil(dial(world, 'alice', { remotes: [nobody] }));
    expect(world.clock.now() - since).toBe(5 * 900);
    expect([...sent.values()]).toEqual([5]);
  });

  it('repeats a dial that was refused after 50 to 100 ms', async () => {
    const world = internet({ seed: 1 });
    const link = { latency: 10 };
    const [alice, bob] = [world.host('alice', { link }), world.host('bob', { link })];
    const times: number[] = [];
    world.watch(({ fate, place, packet, at }) => {
      if (fate === 'sent' && place === 'alice' && packet.protocol === 'tcp' && packet.segment.syn) times.push(at);
    });
    const remotes = [endpoint(addressOf(bob), PORT)];
    expect(await world.clock.runUntil(dial(world, alice.name, { remotes, syns: 20 }))).toEqual([]);
    expect(times).toHaveLength(20);
    const roundTrip = 40;
    const pauses = times.slice(1).map((at, i) => at - times[i]! - roundTrip);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
    expect(new Set(pauses).size).toBeGreaterThan(5);
  });

  it('ends its dials, and closes what opens late, when nobody wants them any more', async () => {
    const world = homes(DROPS, DROPS);
    const [a, b] = [await reflexive(world, 'alice'), await reflexive(world, 'bob')];
    const network = simNetwork(world.hostNamed('alice'));
    const random = world.random.stream('dials');
    const options = { network, clock: world.clock, random, localPort: PORT, syns: 20, time: 4000, listens: false };
    const seen: ByteSocket[] = [];
    const dials = simultaneousOpen({ ...options, remotes: [b] }).subscribe((socket) => seen.push(socket));
    const bob = dial(world, 'bob', { remotes: [a] });
    await world.clock.advance(20);
    dials.unsubscribe();
    await world.clock.runUntil(bob);
    expect(seen).toEqual([]);
    expect(world.hostNamed('alice').tcp.open).toBe(1);
  });

  it('completes at once without anybody to dial', async () => {
    const world = homes(DROPS, DROPS);
    expect(await world.clock.runUntil(dial(world, 'alice', { remotes: [] }))).toEqual([]);
  });

  it('closes a connection that opens after the end', async () => {
    const world = homes(DROPS, DROPS);
    const { clock } = world;
    const random = world.random.stream('dials');
    let open: ((socket: ByteSocket) => void) | undefined;
    const network = {
      ...simNetwork(world.hostNamed('alice')),
      connect: () =>
        new Promise<ByteSocket>((resolve) => {
          open = resolve;
        }),
    };
    const remotes = [endpoint('203.0.113.1', 5000)];
    const options = { network, clock, random, localPort: PORT, remotes, syns: 20, time: 4000, listens: false };
    const dials = simultaneousOpen(options).subscribe(() => expect.unreachable());
    await clock.advance(10);
    dials.unsubscribe();
    let destroyed = false;
    open!({
      destroy: () => {
        destroyed = true;
      },
    } as unknown as ByteSocket);
    await clock.advance(0);
    expect(destroyed).toBe(true);
    expect(world.hostNamed('alice').tcp.open).toBe(0);
  });

  /** Hosts without NAT, so near that their SYNs never cross. */
  function neighbours(): Internet {
    const world = internet({ seed: 1 });
    for (const name of ['alice', 'bob', 'carol']) world.host(name, { link: { latency: 0 } });
    return world;
  }
  const at = (world: Internet, name: string): Endpoint => endpoint(addressOf(world.hostNamed(name)), PORT);

  it('joins two that are near: one calls, when the other has dialled in vain and listens', async () => {
    const world = neighbours();
    const [a, b] = [at(world, 'alice'), at(world, 'bob')];
    const both = Promise.all([
      dial(world, 'alice', { remotes: [b] }),
      dial(world, 'bob', { remotes: [a], syns: 10, listens: true, after: 20 }),
    ]);
    const [[alice], [bob]] = (await world.clock.runUntil(both)) as [ByteSocket[], ByteSocket[]];
    expect([alice?.remote, bob?.remote]).toEqual([b, a]);
  });

  it('listens to nobody else, and to nobody when the time is over', async () => {
    const world = neighbours();
    const [a, b] = [at(world, 'alice'), at(world, 'bob')];
    const dials = dial(world, 'bob', { remotes: [a], syns: 1, listens: true });
    await world.clock.advance(10);
    const foreign = await world.clock.runUntil(world.hostNamed('carol').tcp.connect({ remote: b }));
    expect(await world.clock.runUntil(foreign.read())).toBeNull();
    expect(await world.clock.runUntil(dials)).toEqual([]);
    expect(world.clock.now()).toBe(4_000);
    expect(world.hostNamed('bob').tcp.open).toBe(0);
  });

  it('stops listening when nobody wants the connections any more', async () => {
    const world = neighbours();
    const { clock } = world;
    const network = simNetwork(world.hostNamed('bob'));
    const options = { network, clock, random: world.random.stream('dials'), localPort: PORT, syns: 1, time: 4000 };
    const calls = simultaneousOpen({ ...options, remotes: [at(world, 'alice')], listens: true }).subscribe();
    await clock.advance(10);
    expect(world.hostNamed('bob').tcp.open).toBe(1);
    calls.unsubscribe();
    await clock.advance(0);
    expect(world.hostNamed('bob').tcp.open).toBe(0);
  });
});
