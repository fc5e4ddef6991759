import { connect, type Socket } from 'node:net';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/node/index.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { PathInfo } from '../../src/core/path.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { UDP_FIRST } from '../../src/peer/tcp-turn.ts';
import { frameDatagram } from '../../src/protocol/framing/frame.ts';
import { decodeTicket, iceCredentials } from '../../src/protocol/rendezvous/index.ts';
import { BINDING, encodeMessage, shortTermKey } from '../../src/protocol/stun/index.ts';
import type { Traffic } from './faulty-network.ts';
import { numberedBytes, receiveAll, sendAll, startTransfer, streamBetween } from './transfer.ts';
import { createWorld, type Inhabitant, type InhabitantOptions, type Pair, type World } from './world.ts';

const bytes = numberedBytes(300_000);

/** Two peers whose UDP is as told from the start, and the ticket between them. */
async function pairWith(
  world: World,
  traffic: Traffic,
  options: { listener?: InhabitantOptions; dialer?: InhabitantOptions } = {},
): Promise<Pair & { readonly ticket: string }> {
  const listener = await world.inhabitant({ tcp: 'all', ...options.listener });
  const dialer = await world.inhabitant({ tcp: 'all', ...options.dialer });
  for (const { network } of [listener, dialer]) network.traffic = traffic;
  const ticket = await listener.peer.createTicket();
  const incoming = firstValueFrom(listener.peer.incoming$);
  const here = dialer.peer.connect(ticket);
  await here.ready;
  return { listener, dialer, ticket, here, there: await incoming };
}

/** Fulfils with the first direct path over this transport that is sent on. */
function untilDirect(connection: Connection, transport: 'udp' | 'tcp'): Promise<PathInfo | undefined> {
  return firstValueFrom(
    connection.path$.pipe(filter((path) => path?.kind === 'direct' && path.transport === transport)),
  );
}

const untilBothDirect = ({ here, there }: Pair, transport: 'udp' | 'tcp') =>
  Promise.all([untilDirect(here, transport), untilDirect(there, transport)]);

async function carries({ here, there }: Pair): Promise<boolean> {
  const [opened, accepted] = await streamBetween(here, there);
  const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
  return received.equals(bytes);
}

const listenersOf = ({ network }: Inhabitant) => network.listeners.map(({ local }) => local);

describe.concurrent('where UDP is dropped', () => {
  it('peers reach each other directly over TCP', async () => {
    await using world = createWorld();
    const pair = await pairWith(world, 'drop');
    const [path] = await untilBothDirect(pair, 'tcp');
    expect(path).toMatchObject({ kind: 'direct', transport: 'tcp', strategy: 'checks' });
    expect(await carries(pair)).toBe(true);
    await pair.here.close();
    expect(await pair.here.verdict).toMatchObject({ outcome: 'direct' });
    expect(await pair.there.verdict).toMatchObject({ outcome: 'direct' });
  });

  it.each([
    ['listener', 'dialer'],
    ['dialer', 'listener'],
  ] as const)('it is enough that the %s can be reached over TCP, when the %s cannot', async (reachable, other) => {
    await using world = createWorld();
    const pair = await pairWith(world, 'drop', { [other]: { tcp: 'outward' } });
    const paths = await untilBothDirect(pair, 'tcp');
    const ports = pair[reachable].network.listeners.map(({ local }) => local.port);
    const remote = paths[reachable === 'listener' ? 0 : 1]?.remote ?? '';
    expect(ports).toContain(Number(remote.split(':').at(-1)));
    expect(await carries(pair)).toBe(true);
  });

  it('direct-only peers need no relay', async () => {
    await using world = createWorld();
    const policy = { policy: 'direct-only' } as const;
    const pair = await pairWith(world, 'drop', { listener: policy, dialer: policy });
    expect(pair.here.path).toMatchObject({ kind: 'direct', transport: 'tcp' });
    expect(await carries(pair)).toBe(true);
  });

  it('UDP takes over as soon as it gets through, and no byte is lost', async () => {
    await using world = createWorld();
    const pair = await pairWith(world, 'hold');
    await untilBothDirect(pair, 'tcp');
    const transfer = await startTransfer(pair.here, pair.there);
    await transfer.more(100_000);
    for (const { network } of [pair.listener, pair.dialer]) network.traffic = 'pass';
    await untilBothDirect(pair, 'udp');
    await transfer.more(1_000_000);
    await transfer.finish();
  });

  it('a connection that breaks gives way to another path, and no byte is lost', async () => {
    await using world = createWorld();
    const pair = await pairWith(world, 'drop');
    await untilBothDirect(pair, 'tcp');
    const transfer = await startTransfer(pair.here, pair.there);
    await transfer.more(100_000);
    for (const { network } of [pair.listener, pair.dialer]) for (const socket of network.connected) socket.destroy();
    await transfer.more(1_000_000);
    await transfer.finish();
  });

  it('nothing is left of it after the end', async () => {
    const world = createWorld();
    const pair = await pairWith(world, 'drop');
    await untilBothDirect(pair, 'tcp');
    const { listener, dialer } = pair;
    await world[Symbol.asyncDispose]();
    const opened = [...listener.network.connected, ...dialer.network.connected];
    expect(opened.length).toBeGreaterThan(0);
    await Promise.all(opened.map(({ closed }) => closed));
    for (const { address, port, family } of [...listenersOf(listener), ...listenersOf(dialer)]) {
      expect(await outcomeOf(port, family === 4 ? '127.0.0.1' : '::1'), address).toBe('ECONNREFUSED');
    }
  });
});

describe.concurrent('TCP stays out of the way', () => {
  it('is not tried where UDP works', async () => {
    await using world = createWorld();
    const listener = delayedTurns();
    const dialer = delayedTurns();
    const env = ({ clock }: DelayedTurns) => ({ env: { clock } });
    const pair = await pairWith(world, 'pass', { listener: env(listener), dialer: env(dialer) });
    await untilBothDirect(pair, 'udp');
    expect([listener.take(), dialer.take()]).toEqual([1, 1]);
    expect([pair.listener.network.dialled, pair.dialer.network.dialled]).toEqual([0, 0]);
    expect(await carries(pair)).toBe(true);
  });

  it('is not listened on by who hides its addresses', async () => {
    await using world = createWorld();
    const hiding = await world.inhabitant({ tcp: 'all', policy: 'relay-only' });
    const open = await world.inhabitant({ tcp: 'all' });
    expect(listenersOf(hiding)).toEqual([]);
    expect(listenersOf(open).map(({ address }) => address)).toEqual(['0.0.0.0', '::']);
  });

  it('is done without where the system refuses it', async () => {
    await using world = createWorld();
    const none = { tcp: 'none' } as const;
    const pair = await pairWith(world, 'pass', { listener: none, dialer: none });
    await untilBothDirect(pair, 'udp');
    expect(await carries(pair)).toBe(true);
  });
});

describe('strangers at a peer’s listener', () => {
  it('learn nothing, hold nothing and disturb nobody', async () => {
    await using world = createWorld();
    const pair = await pairWith(world, 'drop');
    await untilBothDirect(pair, 'tcp');
    const transfer = await startTransfer(pair.here, pair.there);
    await transfer.more(100_000);
    const { secret } = decodeTicket(pair.ticket);
    const { listener, dialer } = iceCredentials(secret, Buffer.from(pair.here.id, 'hex'), 0);
    const username = `${listener.ufrag}:${dialer.ufrag}`;
    const attacks: Readonly<Record<string, Uint8Array>> = {
      garbage: Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'),
      'a giant frame': Buffer.concat([Uint8Array.of(0xff, 0xff), new Uint8Array(70_000)]),
      'a wrong name': frameDatagram(check('wrongname:wrongname', 'wrong-password')),
      'the right name and a wrong password': frameDatagram(check(username, 'wrong-password-of-22-chars')),
      'a QUIC packet': frameDatagram(new Uint8Array(1200).fill(0xc3)),
    };
    const port = pair.listener.network.listeners[0]!.local.port;
    for (const [name, attack] of Object.entries(attacks)) {
      for (let i = 0; i < 20; i++) expect(await visit(port, attack), name).toEqual({ heard: 0, ended: true });
    }
    await transfer.more(1_000_000);
    await transfer.finish();
    const silent = await Promise.all(Array.from({ length: 200 }, () => open(port)));
    await expect.poll(() => silent.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(8);
    expect(await carries(pair)).toBe(true);
    expect(pair.here.path).toMatchObject({ kind: 'direct', transport: 'tcp' });
    for (const socket of silent) socket.destroy();
  });
});

interface DelayedTurns {
  readonly clock: Clock;
  /** Lets TCP have its turn now wherever it waits; how often that is. */
  take(): number;
}

/** The system's clock, but for the time that TCP leaves to UDP: that ends when the test says so. */
function delayedTurns(): DelayedTurns {
  const clock = systemClock();
  const turns: (() => void)[] = [];
  return {
    clock: {
      ...clock,
      setTimeout: (callback, delay) => (delay === UDP_FIRST ? turns.push(callback) : clock.setTimeout(callback, delay)),
    },
    take() {
      for (const turn of turns) turn();
      return turns.length;
    },
  };
}

function check(username: string, password: string): Uint8Array {
  return encodeMessage(
    {
      class: 'request',
      method: BINDING,
      transactionId: new Uint8Array(12),
      attributes: [
        { type: 'username', value: username },
        { type: 'priority', value: 1 },
        { type: 'ice-controlling', tieBreaker: 1n },
      ],
    },
    { integrityKey: shortTermKey(password), fingerprint: true },
  );
}

/** An IPv4 connection to this machine, whose errors are part of its end. */
function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.on('connect', () => resolve(socket)).on('close', () => resolve(socket));
    socket.resume();
  });
}

/** Connects, says something and waits for the end. */
async function visit(port: number, said: Uint8Array): Promise<{ heard: number; ended: boolean }> {
  const socket = await open(port);
  let heard = 0;
  socket.on('data', (chunk) => {
    heard += chunk.length;
  });
  const ended = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  socket.write(said);
  return { ended: await ended, heard };
}

/** How an attempt to connect ended. */
function outcomeOf(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}
