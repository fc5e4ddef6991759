import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Traffic } from './faulty-network.ts';
import { startTransfer } from './transfer.ts';
import {
  codeOf,
  connectedPair,
  createWorld,
  type Inhabitant,
  type InhabitantOptions,
  type Pair,
  untilPath,
  untilState,
  type World,
} from './world.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

const setTraffic = ({ listener, dialer }: Pick<Pair, 'listener' | 'dialer'>, traffic: Traffic): void => {
  for (const { network } of [listener, dialer]) network.traffic = traffic;
};
const untilBoth = async ({ here, there }: Pair, kind: 'direct' | 'relayed'): Promise<void> => {
  await Promise.all([untilPath(here, kind), untilPath(there, kind)]);
};
const untilBothAre = async ({ here, there }: Pair, state: 'connected' | 'recovering'): Promise<void> => {
  await Promise.all([untilState(here, state), untilState(there, state)]);
};
/** A transfer each way at once. */
const startTransfers = async ({ here, there }: Pair) => {
  const transfers = [await startTransfer(here, there), await startTransfer(there, here)];
  return {
    more: (bytes: number) => Promise.all(transfers.map((transfer) => transfer.more(bytes))),
    finish: () => Promise.all(transfers.map((transfer) => transfer.finish())),
  };
};

/** A pair whose dialer or listener came first, and therefore comes back first when the rendezvous does. */
async function pairWithFirst(
  first: 'dialer' | 'listener',
  world: World,
  options: InhabitantOptions = {},
): Promise<Pair> {
  if (first === 'listener') return connectedPair(world, { listener: options, dialer: options });
  const dialer = await world.inhabitant(options);
  const listener = await world.inhabitant(options);
  return connect(listener, dialer);
}

async function connect(listener: Inhabitant, dialer: Inhabitant): Promise<Pair> {
  const ticket = await listener.peer.createTicket();
  const incoming = firstValueFrom(listener.peer.incoming$);
  const here = dialer.peer.connect(ticket);
  await here.ready;
  return { listener, dialer, here, there: await incoming };
}

describe.concurrent('a connection', () => {
  it('moves from the relay to a direct path in the middle of a transfer', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    setTraffic({ listener, dialer }, 'hold');
    const pair = await connect(listener, dialer);
    const transfers = await startTransfers(pair);
    await transfers.more(256 * KIB);
    expect([pair.here.path?.kind, pair.there.path?.kind]).toEqual(['relayed', 'relayed']);
    setTraffic(pair, 'pass');
    await untilBoth(pair, 'direct');
    await transfers.more(MIB);
    await transfers.finish();
    expect(pair.here.path?.kind).toBe('direct');
  });

  it('falls back to the relay when the direct path becomes a black hole, and loses no byte', async () => {
    await using world = createWorld();
    const pair = await connectedPair(world);
    await untilBoth(pair, 'direct');
    const transfers = await startTransfers(pair);
    await transfers.more(256 * KIB);
    setTraffic(pair, 'drop');
    const since = performance.now();
    // More than can have been under way: new bytes have come over the relay.
    await transfers.more(4 * MIB);
    expect(performance.now() - since).toBeLessThan(4000);
    await untilBoth(pair, 'relayed');
    expect(performance.now() - since).toBeLessThan(10_000);
    await transfers.more(64 * KIB);
    await transfers.finish();
  });

  it('comes back to a direct path after a black hole', async () => {
    await using world = createWorld();
    const pair = await connectedPair(world, { dialer: { delays: { repunch: 50 } } });
    await untilBoth(pair, 'direct');
    setTraffic(pair, 'drop');
    await pair.here.openStream();
    await untilPath(pair.here, 'relayed');
    setTraffic(pair, 'pass');
    await untilBoth(pair, 'direct');
  });

  it.each(['listener', 'dialer'] as const)(
    'recovers under the same session when every path was lost (the %s comes back first)',
    async (first) => {
      await using world = createWorld();
      const pair = await pairWithFirst(first, world);
      await untilBoth(pair, 'direct');
      const transfers = await startTransfers(pair);
      await transfers.more(256 * KIB);
      setTraffic(pair, 'drop');
      world.rendezvous.stop();
      await untilBothAre(pair, 'recovering');
      expect([pair.here.path, pair.there.path]).toEqual([undefined, undefined]);
      setTraffic(pair, 'pass');
      world.rendezvous.start();
      await untilBothAre(pair, 'connected');
      await transfers.more(64 * KIB);
      await transfers.finish();
      expect(world.rendezvous.counters().sessions).toBe(1);
    },
  );

  it.each(['listener', 'dialer'] as const)(
    'recovers on a relay alone when the server was restarted (the %s comes back first)',
    async (first) => {
      await using world = createWorld();
      const pair = await pairWithFirst(first, world, { policy: 'relay-only' });
      const transfers = await startTransfers(pair);
      await transfers.more(64 * KIB);
      world.rendezvous.stop();
      await untilBothAre(pair, 'recovering');
      world.rendezvous.start();
      await untilBothAre(pair, 'connected');
      await transfers.more(64 * KIB);
      await transfers.finish();
    },
  );

  it.each(['listener', 'dialer'] as const)(
    'lives on without the rendezvous once a direct path stands, and uses it again when it is back (the %s first)',
    async (first) => {
      await using world = createWorld();
      const pair = await pairWithFirst(first, world);
      await untilBoth(pair, 'direct');
      world.rendezvous.stop();
      const transfers = await startTransfers(pair);
      await transfers.more(256 * KIB);
      expect([pair.here.path?.kind, pair.there.path?.kind]).toEqual(['direct', 'direct']);
      const [carrier] = pair.dialer.carriers;
      const bound = firstValueFrom(carrier!.events$.pipe(filter(({ type }) => type === 'envelope')));
      world.rendezvous.start();
      await bound;
      setTraffic(pair, 'drop');
      await untilBoth(pair, 'relayed');
      await transfers.more(64 * KIB);
      await transfers.finish();
    },
  );

  it('says within seconds that the other side’s process has gone', async () => {
    await using world = createWorld();
    const pair = await connectedPair(world);
    await untilBoth(pair, 'direct');
    const stream = await pair.here.openStream();
    const reading = codeOf(stream.read());
    setTraffic(pair, 'drop');
    for (const carrier of pair.listener.carriers) carrier.close();
    const since = performance.now();
    const verdict = await pair.here.verdict;
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(verdict).toMatchObject({ outcome: 'failed', code: 'ERR_PEER_GONE' });
    expect(await reading).toBe('ERR_CLOSED');
    expect(await codeOf(pair.here.openStream())).toBe('ERR_CLOSED');
  });

  it('gives up when no path comes back in time', async () => {
    await using world = createWorld();
    const delays = { recovering: 100 };
    const pair = await connectedPair(world, { dialer: { delays }, listener: { delays } });
    await untilBoth(pair, 'direct');
    setTraffic(pair, 'drop');
    world.rendezvous.stop();
    for (const connection of [pair.here, pair.there]) {
      await connection.openStream();
    }
    for (const connection of [pair.here, pair.there]) {
      expect(await connection.verdict).toMatchObject({ outcome: 'failed', code: 'ERR_PEER_GONE' });
    }
  });

  it('hears at once that the other side closed, on whatever path', async () => {
    await using world = createWorld();
    for (const policy of ['relay-first', 'relay-only'] as const) {
      const pair = await connectedPair(world, { listener: { policy } });
      await pair.there.close();
      expect((await pair.here.verdict).code).toBeUndefined();
      expect(await codeOf(pair.here.openStream())).toBe('ERR_CLOSED');
    }
  });
});
