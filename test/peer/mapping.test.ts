import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { matchesState } from 'xstate';
import type { Candidate, RemoteCandidate } from '../../src/core/candidate.ts';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { Connection } from '../../src/peer/connection.ts';
import type { Reachability } from '../../src/peer/discovery.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { decodeTicket, type PeerMessage } from '../../src/protocol/rendezvous/index.ts';
import { manualClock } from '../manual-clock.ts';
import { type PeerLeases, peerLeases } from './peer-leases.ts';
import { forwardPort } from './port-forward.ts';
import { tappedSignaling } from './tapped-signaling.ts';
import { numberedBytes, receiveAll, sendAll, startTransfer, streamBetween } from './transfer.ts';
import { codeOf, connectedPair, createWorld, type Inhabitant, type Pair, untilPath } from './world.ts';

/** The leases that a peer makes are those of the test, where it has its mappers from there. */
vi.mock('../../src/leases/port-leases.ts', async (importOriginal) => {
  const real = await importOriginal<typeof import('../../src/leases/port-leases.ts')>();
  const { leasesBehind } = await import('./peer-leases.ts');
  const createPortLeases: typeof real.createPortLeases = (options) =>
    leasesBehind(options.mappers) ?? real.createPortLeases(options);
  return { createPortLeases };
});

const OUTSIDE = endpoint('203.0.113.7', 40_000);

const isMapped = ({ type }: Pick<Candidate, 'type'>): boolean => type === 'mapped';
const mappedOf = (candidates: readonly RemoteCandidate[]): string[] =>
  candidates.filter(isMapped).map(({ endpoint: at, transport }) => `${transport} ${formatEndpoint(at)}`);
const candidatesOf = (message: PeerMessage): readonly RemoteCandidate[] =>
  'candidates' in message ? message.candidates : [];

const untilReachability = (peer: Peer, matches: (found: Reachability) => boolean): Promise<Reachability> =>
  firstValueFrom(peer.reachability$.pipe(filter(matches)));
const untilMapped = (peer: Peer): Promise<Reachability> =>
  untilReachability(peer, ({ candidates }) => candidates.some(isMapped));

describe('a peer whose ports are mapped', () => {
  it('asks for its IPv4 UDP port, and for its TCP port where it listens on one', async () => {
    await using world = createWorld();
    const [udp, both] = [peerLeases(), peerLeases()];
    const { peer } = await world.inhabitant({ env: { mappers: udp.mappers } });
    const { network } = await world.inhabitant({ tcp: 'all', env: { mappers: both.mappers } });
    const { candidates } = await untilReachability(peer, ({ complete }) => complete);
    const port = candidates.find(({ endpoint: { family } }) => family === 4)?.endpoint.port;
    expect(udp.requests).toEqual([{ protocol: 'udp', internalPort: port, description: 'sallyport peer' }]);
    const listener = network.listeners.find(({ local }) => local.family === 4);
    expect(both.requests.map(({ protocol }) => protocol)).toEqual(['udp', 'tcp']);
    expect(both.requests[1]!.internalPort).toBe(listener?.local.port);
  });

  it('has a candidate for the mapping, whose base is the host candidate that it leads to', async () => {
    await using world = createWorld();
    const leases = peerLeases();
    const { peer } = await world.inhabitant({ env: { mappers: leases.mappers } });
    leases.map('udp', OUTSIDE);
    const { candidates } = await untilMapped(peer);
    const base = endpoint('127.0.0.1', leases.requests[0]!.internalPort);
    expect(candidates.filter(isMapped)).toMatchObject([{ transport: 'udp', endpoint: OUTSIDE, base }]);
  });

  it('shows in its state how the mapping stands', async () => {
    await using world = createWorld();
    const leases = peerLeases();
    const { peer } = await world.inhabitant({ env: { mappers: leases.mappers } });
    const seen: (string | undefined)[] = [];
    const subscription = peer.state$.subscribe((state) => {
      const now = (['mapping', 'mapped', 'unavailable'] as const).find((map) => matchesState({ open: { map } }, state));
      if (now !== seen.at(-1)) seen.push(now);
    });
    leases.map('udp', OUTSIDE);
    leases.ask('udp');
    leases.fail('udp');
    leases.ask('udp');
    leases.map('udp', OUTSIDE);
    leases.ask('udp');
    leases.fail('udp');
    leases.ask('udp');
    subscription.unsubscribe();
    const asked = ['mapping', 'mapped', 'mapping', 'unavailable'];
    expect(seen).toEqual([...asked, ...asked, 'mapping']);
  });

  it('waits for the gateway with nothing', async () => {
    await using world = createWorld();
    const silent = () => ({ env: { mappers: peerLeases().mappers } });
    const pair = await connectedPair(world, { listener: silent(), dialer: silent() });
    await untilPath(pair.here, 'direct');
    expect((await untilReachability(pair.dialer.peer, () => true)).complete).toBe(true);
    await pair.here.close();
    const map = (await pair.here.verdict).attempts.find(({ strategy }) => strategy === 'map');
    expect(map).toMatchObject({ strategy: 'map', ok: false });
    expect(map!.reason).toMatch(/^udp port \d+: no answer yet$/);
  });

  it('tells it in its offers, in its answers, and in the answer that stands at the server', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const leases = { listener: peerLeases(), dialer: peerLeases() };
    const env = (of: PeerLeases) => ({ env: { signaling: tap.signaling, mappers: of.mappers } });
    const listener = await world.inhabitant(env(leases.listener));
    const dialer = await world.inhabitant(env(leases.dialer));
    leases.listener.map('udp', OUTSIDE);
    leases.dialer.map('udp', endpoint('203.0.113.8', 40_001));
    await Promise.all([untilMapped(listener.peer), untilMapped(dialer.peer)]);
    const ticket = await listener.peer.createTicket();
    await dialer.peer.connect(ticket).ready;
    const told = tap.messages(decodeTicket(ticket));
    const first = (messages: readonly PeerMessage[], type: PeerMessage['type']): string[] =>
      mappedOf(messages.filter((message) => message.type === type).flatMap(candidatesOf));
    expect(first(told.listener, 'standing')).toEqual(['udp 203.0.113.7:40000']);
    expect(first(told.listener, 'answer')).toEqual(['udp 203.0.113.7:40000']);
    expect(first(told.dialer, 'offer')).toEqual(['udp 203.0.113.8:40001']);
  });

  it('tells a mapping that comes after all else was told, once, and no more of one that was lost', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const leases = peerLeases();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant({ env: { signaling: tap.signaling, mappers: leases.mappers } });
    const ticket = await listener.peer.createTicket();
    const here = dialer.peer.connect(ticket);
    await here.ready;
    const told = () => tap.messages(decodeTicket(ticket)).dialer;
    expect(told()[0]).toMatchObject({ type: 'offer', end: true });
    expect(mappedOf(told().flatMap(candidatesOf))).toEqual([]);
    leases.map('udp', OUTSIDE);
    expect(told().at(-1)).toMatchObject({ type: 'candidates', candidates: [{ type: 'mapped' }], end: true });
    leases.fail('udp');
    leases.map('udp', OUTSIDE);
    expect(mappedOf(told().flatMap(candidatesOf))).toEqual(['udp 203.0.113.7:40000']);
    leases.fail('udp');
    await here.close();
    expect((await here.verdict).candidates.local.filter(isMapped)).toEqual([]);
  });

  it('takes a lost mapping out of the answer that stands at the server', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const leases = peerLeases();
    const env = { signaling: tap.signaling, mappers: leases.mappers };
    const { peer } = await world.inhabitant({ env });
    const dialer = await world.inhabitant({ env: { signaling: tap.signaling } });
    const ticket = await peer.createTicket();
    leases.map('udp', OUTSIDE);
    leases.fail('udp');
    await dialer.peer.connect(ticket).ready;
    const standing = tap.messages(decodeTicket(ticket)).listener.filter(({ type }) => type === 'standing');
    expect(standing.slice(-2).map((message) => mappedOf(candidatesOf(message)).length)).toEqual([1, 0]);
  });

  it('tells an address that only some can reach, too', async () => {
    await using world = createWorld();
    const leases = peerLeases();
    const { peer } = await world.inhabitant({ env: { mappers: leases.mappers } });
    leases.map('udp', endpoint('100.64.1.2', 40_000));
    expect(mappedOf((await untilMapped(peer)).candidates)).toEqual(['udp 100.64.1.2:40000']);
  });

  it('asks for nothing where its addresses are hidden', async () => {
    await using world = createWorld();
    const leases = peerLeases();
    const options = { policy: 'relay-only', tcp: 'all', env: { mappers: leases.mappers } } as const;
    const { here } = await connectedPair(world, { dialer: options });
    await here.close();
    expect((await here.verdict).attempts.filter(({ strategy }) => strategy === 'map')).toEqual([]);
    expect([leases.opened, leases.requests]).toEqual([0, []]);
  });

  it('tells the leases when it has other IPv4 addresses, and not with each look at the network', async () => {
    await using world = createWorld();
    const clock = manualClock();
    const leases = peerLeases();
    let address = '192.168.1.2';
    const { network } = await world.inhabitant();
    const interfaces = () => [
      ...network.interfaces(),
      { name: 'eth0', address, family: 4 as const, internal: false },
      // A temporary IPv6 address is another one at each look.
      { name: 'eth0', address: `2001:db8::${clock.now().toString(16)}`, family: 6 as const, internal: false },
    ];
    const { peer } = await world.inhabitant({
      env: { clock, mappers: leases.mappers, network: { ...network, interfaces } },
    });
    const look = async (): Promise<number> => {
      await firstValueFrom(
        peer.state$.pipe(filter((state) => matchesState({ open: { discover: 'gathered' } }, state))),
      );
      clock.advance(26_000);
      return leases.changes;
    };
    expect(await look()).toBe(0);
    address = '192.168.7.2';
    expect(await look()).toBe(1);
    expect(await look()).toBe(1);
  });

  it('releases what was mapped when it is closed, and is closed when that is done', async () => {
    await using world = createWorld();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const leases = peerLeases(() => released);
    const { peer } = await world.inhabitant({ env: { mappers: leases.mappers } });
    let ended = false;
    peer.state$.subscribe({ complete: () => (ended = true) });
    const closed = peer.close();
    await lastValueFrom(peer.reachability$);
    await turnOfTheLoop();
    expect([leases.closed, ended]).toEqual([true, false]);
    release();
    await closed;
    expect(ended).toBe(true);
  });

  it('is not made where the leases cannot be', async () => {
    await using world = createWorld();
    const mapper = (): never => {
      throw new RangeError('no such port mapper');
    };
    await expect(world.inhabitant({ env: { mappers: [mapper] } })).rejects.toThrow('no such port mapper');
  });
});

describe.concurrent('where nothing else gets through', () => {
  /** Two peers, of which `mapped` has leases; UDP gets through by its mapped port only, TCP too. */
  async function apart(
    world: ReturnType<typeof createWorld>,
    mapped: 'listener' | 'dialer',
    tcp: 'none' | 'all' = 'none',
  ): Promise<{ leases: PeerLeases; listener: Inhabitant; dialer: Inhabitant }> {
    const leases = peerLeases();
    const options = { listener: {}, dialer: {}, [mapped]: { env: { mappers: leases.mappers } } };
    const listener = await world.inhabitant({ tcp, ...options.listener });
    const dialer = await world.inhabitant({ tcp, ...options.dialer });
    for (const { network } of [listener, dialer]) network.reaches = () => false;
    return { leases, listener, dialer };
  }

  async function connect({ listener, dialer }: Pick<Pair, 'listener' | 'dialer'>): Promise<Pair> {
    const ticket = await listener.peer.createTicket();
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect(ticket);
    await here.ready;
    return { listener, dialer, here, there: await incoming };
  }

  const untilBoth = ({ here, there }: Pair, kind: 'direct' | 'relayed') =>
    Promise.all([untilPath(here, kind), untilPath(there, kind)]);

  async function carries(here: Connection, there: Connection): Promise<boolean> {
    const bytes = numberedBytes(200_000);
    const [opened, accepted] = await streamBetween(here, there);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
    return received.equals(bytes);
  }

  it.each(['listener', 'dialer'] as const)('the mapped port of the %s does', async (mapped) => {
    await using world = createWorld();
    const sides = await apart(world, mapped);
    const other = mapped === 'listener' ? 'dialer' : 'listener';
    await using forward = await forwardPort('udp', sides.leases.requests[0]!.internalPort);
    sides[other].network.reaches = (port) => port === forward.external.port;
    sides[mapped].network.reaches = forward.isOwn;
    sides.leases.map('udp', forward.external);
    await untilMapped(sides[mapped].peer);
    const pair = await connect(sides);
    await untilBoth(pair, 'direct');
    const end = mapped === 'listener' ? pair.here : pair.there;
    expect(end.path?.remote).toBe(formatEndpoint(forward.external));
    expect(await carries(pair.here, pair.there)).toBe(true);
    await pair.here.close();
    const verdict = await (mapped === 'dialer' ? pair.here : pair.there).verdict;
    expect(verdict.outcome).toBe('direct');
    expect(verdict.attempts.find(({ strategy }) => strategy === 'map')).toMatchObject({ ok: true });
  });

  it.each(['listener', 'dialer'] as const)(
    'a mapping of the %s that comes after a relayed start takes over, and no byte is lost',
    async (mapped) => {
      await using world = createWorld();
      const sides = await apart(world, mapped);
      const other = mapped === 'listener' ? 'dialer' : 'listener';
      const pair = await connect(sides);
      const transfer = await startTransfer(pair.here, pair.there);
      await transfer.more(100_000);
      expect([pair.here.path?.kind, pair.there.path?.kind]).toEqual(['relayed', 'relayed']);
      await using forward = await forwardPort('udp', sides.leases.requests[0]!.internalPort);
      sides[other].network.reaches = (port) => port === forward.external.port;
      sides[mapped].network.reaches = forward.isOwn;
      sides.leases.map('udp', forward.external);
      await untilBoth(pair, 'direct');
      await transfer.more(1_000_000);
      await transfer.finish();
    },
  );

  it('a mapped TCP port does where UDP is dropped', async () => {
    await using world = createWorld();
    const sides = await apart(world, 'listener', 'all');
    const request = sides.leases.requests.find(({ protocol }) => protocol === 'tcp');
    await using forward = await forwardPort('tcp', request!.internalPort);
    sides.dialer.network.reaches = (port) => port === forward.external.port;
    sides.leases.map('tcp', forward.external);
    await untilMapped(sides.listener.peer);
    const pair = await connect(sides);
    await untilBoth(pair, 'direct');
    expect(pair.here.path).toMatchObject({ transport: 'tcp', remote: formatEndpoint(forward.external) });
    expect(await carries(pair.here, pair.there)).toBe(true);
  });

  it('the verdict says what came of asking, and what would help', async () => {
    await using world = createWorld();
    const { leases, listener, dialer } = await apart(world, 'dialer');
    leases.fail('udp');
    const { here } = await connect({ listener, dialer });
    await here.close();
    const { outcome, attempts, advice } = await here.verdict;
    expect(outcome).toBe('relayed');
    const [map] = attempts.filter(({ strategy }) => strategy === 'map');
    expect(map?.reason).toMatch(/^udp port \d+: pcp: nobody answers$/);
    expect(advice).toContainEqual(expect.stringMatching(/^no router of this side answered: turn on UPnP/));
  });

  it('direct-only peers meet by a mapping that came in time, and fail without one', async () => {
    await using world = createWorld();
    const leases = peerLeases();
    const listener = await world.inhabitant({ policy: 'direct-only', env: { mappers: leases.mappers } });
    const dialer = await world.inhabitant({ policy: 'direct-only' });
    for (const { network } of [listener, dialer]) network.reaches = () => false;
    const ticket = await listener.peer.createTicket();
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_PUNCH_EXHAUSTED');
    await using forward = await forwardPort('udp', leases.requests[0]!.internalPort);
    dialer.network.reaches = (port) => port === forward.external.port;
    listener.network.reaches = forward.isOwn;
    const { ready } = dialer.peer.connect(ticket);
    leases.map('udp', forward.external);
    expect(await codeOf(ready)).toBe('fulfilled');
  });
});
