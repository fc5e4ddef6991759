import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { createFrameDecoder } from '../../src/protocol/framing/frame.ts';
import { isQuicPacket, tryDecodeStun } from '../../src/streams/demultiplex.ts';
import { createWorld, type World } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type HostileNetwork, hostileNetwork } from './hostile-network.ts';
import { answerTo, checkOf } from './off-path.ts';
import { QUIC_FORGERIES } from './quic-forgery.ts';
import { type TcpVisitor, visit } from './tcp-visitor.ts';
import { connected, credentialsOf, EXCHANGED, exchange, type Standing, watchedSessions } from './victims.ts';

/** How long an attack is kept up, in ms. */
const SIEGE = 1500;
const BEARABLE = 1200;

interface TcpTarget extends Standing {
  /** Of the side whose listener carries the connection. */
  readonly port: number;
  readonly check: { readonly username: string; readonly pwd: string };
  /** The password of the other side, under which its answers are signed. */
  readonly pwd: string;
  readonly connectionId: Uint8Array;
  /** Checks that the other side sent over TCP. */
  readonly recorded: readonly Uint8Array[];
}

/** A connection over TCP, for UDP is dropped. */
async function tcpTarget(world: World): Promise<TcpTarget> {
  const networks = { listener: hostileNetwork(), dialer: hostileNetwork() };
  const watched = { listener: watchedSessions(), dialer: watchedSessions() };
  for (const network of Object.values(networks)) network.intercept = () => true;
  const on = (side: 'listener' | 'dialer') => ({ env: { network: networks[side], sessions: watched[side].sessions } });
  const pair = await connected(world, { listener: on('listener'), dialer: on('dialer') });
  const path = await firstValueFrom(pair.here.path$.pipe(filter((path) => path?.transport === 'tcp')));
  await firstValueFrom(pair.there.path$.pipe(filter((path) => path?.transport === 'tcp')));
  // Whoever of the two was quicker to connect: the other one's listener is attacked.
  const called = path?.remote === `127.0.0.1:${networks.listener.tcpPort}` ? 'listener' : 'dialer';
  const caller = called === 'listener' ? 'dialer' : 'listener';
  const credentials = credentialsOf(pair.ticket, pair.here);
  return {
    ...pair,
    port: networks[called].tcpPort,
    check: { username: `${credentials[called].ufrag}:${credentials[caller].ufrag}`, pwd: credentials[called].pwd },
    pwd: credentials[caller].pwd,
    connectionId: watched[called].made[0]!.connectionId,
    get recorded() {
      return checksIn(networks[caller]);
    },
  };
}

function checksIn({ written }: HostileNetwork): readonly Uint8Array[] {
  const decoder = createFrameDecoder();
  return written
    .flatMap((chunk) => decoder.decode(chunk).map((datagram) => Uint8Array.from(datagram)))
    .filter((datagram) => !isQuicPacket(datagram) && tryDecodeStun(datagram)?.class === 'request');
}

const isQuic = (datagram: Uint8Array): boolean => isQuicPacket(datagram);

describe('a connection over TCP', () => {
  it('shows nothing to connections that repeat its true checks, and keeps none of them', async () => {
    await using world = createWorld();
    const pair = await tcpTarget(world);
    const beat = await startHeartbeat(pair);
    expect(pair.recorded.length).toBeGreaterThan(0);
    const visitors = await Promise.all(Array.from({ length: 20 }, () => visit(pair.port)));
    for (const visitor of visitors) for (const check of pair.recorded) visitor.send(check);
    await vi.waitFor(() => expect(visitors.filter(({ ended }) => !ended)).toEqual([]));
    expect(visitors.flatMap(({ heard }) => heard)).toEqual([]);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });

  it('is not held up by one who has the credentials, takes it over and swallows it all', async () => {
    await using world = createWorld();
    const pair = await tcpTarget(world);
    const beat = await startHeartbeat(pair);
    const visitor = await visit(pair.port, (check, { address, send }) => send(answerTo(check, address, pair.pwd)));
    visitor.send(checkOf(pair.check));
    await vi.waitFor(() => expect(visitor.heard.filter(isQuic).length).toBeGreaterThan(0), { timeout: 5000 });
    await pause(SIEGE);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    visitor.close();
  });

  it('is not ended by forged packets on a connection whose check was true', async () => {
    await using world = createWorld();
    const pair = await tcpTarget(world);
    const beat = await startHeartbeat(pair);
    const visitor = await visit(pair.port);
    visitor.send(checkOf(pair.check));
    for (const forge of Object.values(QUIC_FORGERIES)) {
      for (let i = 0; i < 50; i++) visitor.send(forge(pair.connectionId, i));
    }
    visitor.send(randomBytes(100).fill(0, 0, 1));
    await vi.waitFor(() => expect(visitor.ended).toBe(true), { timeout: 5000 });
    expect(visitor.heard.filter(isQuic)).toEqual([]);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });

  it('leaves room for its peer, however many with true checks came first', async () => {
    await using world = createWorld();
    const pair = await tcpTarget(world);
    const answered: TcpVisitor[] = [];
    const visitors = await Promise.all(
      Array.from({ length: 30 }, () =>
        visit(pair.port, (check, visitor) => {
          answered.push(visitor);
          visitor.send(answerTo(check, visitor.address, pair.pwd));
        }),
      ),
    );
    for (const visitor of visitors) visitor.send(checkOf(pair.check));
    await vi.waitFor(() => expect(visitors.filter(({ ended }) => ended).length).toBeGreaterThanOrEqual(22));
    expect(answered.length).toBeGreaterThan(0);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(pair.here.path).toMatchObject({ kind: 'direct' });
    for (const visitor of visitors) visitor.close();
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });

  it('gives the places of those who answer nothing to who comes after them, and all of them up after 5 s', async () => {
    await using world = createWorld();
    const pair = await tcpTarget(world);
    const enter = async (onCheck?: Parameters<typeof visit>[1]): Promise<TcpVisitor> => {
      const visitor = await visit(pair.port, onCheck);
      visitor.send(checkOf(pair.check));
      await vi.waitFor(() => expect(visitor.heard.length).toBeGreaterThan(0));
      return visitor;
    };
    const silent: TcpVisitor[] = [];
    for (let i = 0; i < 8; i++) silent.push(await enter());
    const last = await enter((check, { address, send }) => send(answerTo(check, address, pair.pwd)));
    await vi.waitFor(() => expect(last.heard.some(isQuic)).toBe(true), { timeout: 3000 });
    await vi.waitFor(() => expect(silent.filter(({ ended }) => !ended)).toEqual([]), { timeout: 7000 });
    expect(last.ended).toBe(false);
    last.close();
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });
});
