import { firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PathInfo } from '../../src/core/path.ts';
import { numberedBytes, receiveAll, sendAll, streamBetween } from './transfer.ts';
import { codeOf, connectedPair, createWorld, untilPath } from './world.ts';

describe('two peers', () => {
  it('connect: each knows the other’s key, both the same session', async () => {
    await using world = createWorld();
    const { listener, dialer, here, there } = await connectedPair(world);
    expect([here.role, there.role]).toEqual(['dialer', 'listener']);
    expect(here.remoteKey).toEqual(listener.peer.key);
    expect(there.remoteKey).toEqual(dialer.peer.key);
    expect(here.id).toBe(there.id);
    expect(here.id).toMatch(/^[0-9a-f]{32}$/);
    await there.ready;
  });

  it('start over the relay and end up on a direct path, on both sides', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    for (const { network } of [listener, dialer]) network.traffic = 'hold';
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect(ticket);
    const paths: (PathInfo | undefined)[] = [];
    here.path$.subscribe((path) => paths.push(path));
    await here.ready;
    expect(here.path).toMatchObject({ kind: 'relayed', transport: 'websocket', strategy: 'relay' });
    for (const { network } of [listener, dialer]) network.traffic = 'pass';
    await Promise.all([untilPath(here, 'direct'), untilPath(await incoming, 'direct')]);
    expect(here.path).toMatchObject({ kind: 'direct', transport: 'udp', strategy: 'checks' });
    expect(here.path?.remote).toMatch(/^(127\.0\.0\.1|\[::1\]):\d+$/);
    await here.close();
    expect(paths.slice(0, 3).map((path) => path?.kind)).toEqual([undefined, 'relayed', 'direct']);
    const verdict = await here.verdict;
    expect(verdict).toMatchObject({ outcome: 'direct', advice: [] });
    expect(verdict.attempts.filter(({ ok }) => ok)).toMatchObject([{ strategy: 'checks' }, { strategy: 'relay' }]);
    expect(verdict).not.toHaveProperty('code');
    expect(verdict.paths.map(({ kind }) => kind).slice(0, 2)).toEqual(['relayed', 'direct']);
    expect((await (await incoming).verdict).outcome).toBe('direct');
  });

  it('carry streams both ways, whoever opened them', async () => {
    await using world = createWorld();
    const { here, there } = await connectedPair(world);
    const bytes = numberedBytes(300_000);
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const [opened, accepted] = await streamBetween(from, to);
      expect(accepted.protocol).toBe('sallyport/stream');
      const [, outward, , homeward] = await Promise.all([
        sendAll(opened, bytes),
        receiveAll(accepted),
        sendAll(accepted, bytes),
        receiveAll(opened),
      ]);
      expect(outward.equals(bytes)).toBe(true);
      expect(homeward.equals(bytes)).toBe(true);
    }
  });

  it('tell the other side what a stream is for', async () => {
    await using world = createWorld();
    const { here, there } = await connectedPair(world);
    const accepted = firstValueFrom(there.streams$);
    await here.openStream('example/chat');
    expect((await accepted).protocol).toBe('example/chat');
  });

  it('carry datagrams both ways', async () => {
    await using world = createWorld();
    const { here, there } = await connectedPair(world);
    await Promise.all([untilPath(here, 'direct'), untilPath(there, 'direct')]);
    const [atHere, atThere] = [here, there].map(({ datagrams }) => firstValueFrom(datagrams.incoming$.pipe(take(1))));
    expect(here.datagrams.send(Uint8Array.of(1, 2, 3))).toBe(true);
    expect(there.datagrams.send(Uint8Array.of(4, 5))).toBe(true);
    expect([...(await atThere!)]).toEqual([1, 2, 3]);
    expect([...(await atHere!)]).toEqual([4, 5]);
    expect(here.datagrams.maxLength()).toBeGreaterThan(1000);
    expect(here.datagrams.send(new Uint8Array(here.datagrams.maxLength() + 1))).toBe(false);
  });

  it('count what the session did', async () => {
    await using world = createWorld();
    const { here, there } = await connectedPair(world);
    const [opened, accepted] = await streamBetween(here, there);
    await Promise.all([sendAll(opened, numberedBytes(50_000)), receiveAll(accepted)]);
    expect(here.stats()!.sentBytes).toBeGreaterThan(50_000);
    expect(there.stats()!.receivedBytes).toBeGreaterThan(50_000);
  });

  it('tell what they know of their own reachability', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant();
    const { candidates } = await firstValueFrom(peer.reachability$);
    expect(candidates.map(({ type }) => type)).toContain('host');
    expect(candidates.every(({ endpoint }) => ['127.0.0.1', '::1'].includes(endpoint.address))).toBe(true);
  });
});

describe('one listener', () => {
  it('serves many dialers and many connections of one, on its one socket a family', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialers = await Promise.all([world.inhabitant(), world.inhabitant()]);
    const ticket = await listener.peer.createTicket();
    const incoming = firstValueFrom(listener.peer.incoming$.pipe(take(4), toArray()));
    const dialed = dialers.flatMap(({ peer }) => [peer.connect(ticket), peer.connect(ticket)]);
    await Promise.all(dialed.map(({ ready }) => ready));
    const accepted = await incoming;
    expect(new Set(dialed.map(({ id }) => id)).size).toBe(4);
    for (const [i, here] of dialed.entries()) {
      const there = accepted.find(({ id }) => id === here.id)!;
      const [opened, stream] = await streamBetween(here, there);
      const [received] = await Promise.all([receiveAll(stream), sendAll(opened, Uint8Array.of(i))]);
      expect([...received]).toEqual([i]);
    }
    const remotes = await Promise.all(
      dialed.map(async (connection) => {
        await untilPath(connection, 'direct');
        return connection.path!.remote.replace(/^.*:/, '');
      }),
    );
    expect(new Set(remotes).size).toBeLessThanOrEqual(2);
  });

  it('is not heard of where nobody listens with the ticket’s key', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    await listener.peer.close();
    const connection = dialer.peer.connect(ticket);
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_UNKNOWN');
    expect(await connection.verdict).toMatchObject({ outcome: 'failed', code: 'ERR_PEER_UNKNOWN', paths: [] });
  });
});
