import { getEventListeners } from 'node:events';
import { firstValueFrom, lastValueFrom, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import { Deferred } from '../../src/core/deferred.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { Identity } from '../../src/core/identity.ts';
import type { SessionFactory } from '../../src/core/session.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { inertSignaling } from './inert-signaling.ts';
import { streamBetween } from './transfer.ts';
import {
  codeOf,
  connectedPair,
  countingClock,
  createWorld,
  type InhabitantOptions,
  untilState,
  type World,
} from './world.ts';

/** A carrier whose server never says a word. */
const mute = inertSignaling({ name: 'mute', events$: NEVER, send: () => false });

interface Stage {
  readonly name: string;
  /** What makes a connection stay in this stage. */
  readonly listener?: (reached: () => void) => InhabitantOptions;
  readonly dialer?: InhabitantOptions;
}

const stages: Stage[] = [
  { name: 'the server is silent', dialer: { env: { signaling: () => mute } } },
  {
    name: 'the listener has not decided',
    listener: (reached) => ({
      accept() {
        reached();
        return new Promise(() => {});
      },
    }),
  },
  {
    name: 'punching gets nowhere',
    listener: (reached) => ({
      policy: 'direct-only',
      accept() {
        reached();
        return true;
      },
    }),
  },
];

/** Begins a connection that stays in a stage. */
async function begin(world: World, stage: Stage, options: { signal?: AbortSignal; timeout?: number } = {}) {
  const reached = new Deferred();
  if (stage.listener === undefined) reached.resolve();
  const { clock, pending } = countingClock();
  const listener = await world.inhabitant(stage.listener?.(() => reached.resolve()));
  const dialer = await world.inhabitant({ ...stage.dialer, env: { clock, ...stage.dialer?.env } });
  for (const { network } of [listener, dialer]) network.traffic = 'drop';
  const connection = dialer.peer.connect(await listener.peer.createTicket(), options);
  const end = lastValueFrom(connection.state$);
  await reached.promise;
  return { connection, dialer, pending, end };
}

/** The verdict has this code, and the peer can be closed without leaving a timer. */
async function expectFailure({ connection, dialer, pending, end }: Awaited<ReturnType<typeof begin>>, code: string) {
  expect(await codeOf(connection.ready)).toBe(code);
  expect(await connection.verdict).toMatchObject({ outcome: 'failed', code });
  expect(await end).toBe('failed');
  await dialer.peer.close();
  expect(pending()).toBe(0);
}

describe.each(stages)('while $name,', (stage) => {
  it('an AbortSignal ends the attempt', async () => {
    await using world = createWorld();
    const controller = new AbortController();
    const begun = await begin(world, stage, { signal: controller.signal });
    controller.abort();
    await expectFailure(begun, 'ERR_ABORTED');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('a timeout ends the attempt', async () => {
    await using world = createWorld();
    await expectFailure(await begin(world, stage, { timeout: 50 }), 'ERR_TIMEOUT');
  });

  it('close ends the attempt', async () => {
    await using world = createWorld();
    const begun = await begin(world, stage);
    await Promise.all([begun.connection.close(), begun.connection.close()]);
    await expectFailure(begun, 'ERR_CLOSED');
  });

  it('closing the peer ends the attempt', async () => {
    await using world = createWorld();
    const begun = await begin(world, stage);
    await begun.dialer.peer.close();
    await expectFailure(begun, 'ERR_CLOSED');
  });
});

describe('an AbortSignal', () => {
  it('that was given before ends the attempt at once', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect(await listener.peer.createTicket(), { signal: AbortSignal.abort() });
    expect(await codeOf(connection.ready)).toBe('ERR_ABORTED');
    expect(world.rendezvous.counters().offers).toBe(0);
  });

  it('closes an established connection in order', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const controller = new AbortController();
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect(await listener.peer.createTicket(), { signal: controller.signal });
    await here.ready;
    const there = await incoming;
    controller.abort();
    for (const connection of [here, there]) expect((await connection.verdict).code).toBeUndefined();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});

describe('closing', () => {
  it('a connection whose relay ends meanwhile tells how it went until then', async () => {
    await using world = createWorld();
    const { here } = await connectedPair(world, { dialer: { policy: 'relay-only' } });
    const recovering = untilState(here, 'recovering');
    const closed = here.close();
    world.rendezvous.stop();
    await Promise.all([recovering, closed]);
    const { outcome, attempts } = await here.verdict;
    expect(outcome).toBe('relayed');
    expect(attempts).toEqual([expect.objectContaining({ strategy: 'relay', ok: true })]);
  });

  it('a connection ends it on both sides, with its streams, and leaves the peers alone', async () => {
    await using world = createWorld();
    const { here, there, listener, dialer } = await connectedPair(world);
    const [opened, accepted] = await streamBetween(here, there);
    const reads = [opened.read(), accepted.read()].map(codeOf);
    const ends = [here, there].map(({ state$ }) => lastValueFrom(state$));
    await here.close();
    await there.verdict;
    expect(await Promise.all(reads)).toEqual(['ERR_CLOSED', 'ERR_CLOSED']);
    expect(await Promise.all(ends)).toEqual(['closed', 'closed']);
    for (const connection of [here, there]) {
      expect(await codeOf(connection.openStream())).toBe('ERR_CLOSED');
      expect(connection.datagrams.send(Uint8Array.of(1))).toBe(false);
      await connection.close();
    }
    await dialer.peer.connect(await listener.peer.createTicket()).ready;
  });

  it('a peer ends all its connections and streams of events', async () => {
    await using world = createWorld();
    const { clock, pending } = countingClock();
    const { here, there, listener, dialer } = await connectedPair(world, { listener: { env: { clock } } });
    const ended = [listener.peer.state$, listener.peer.reachability$].map((events$) => lastValueFrom<unknown>(events$));
    const ticket = await listener.peer.createTicket();
    await Promise.all([listener.peer.close(), listener.peer.close()]);
    await Promise.all([here.verdict, there.verdict, ...ended]);
    expect(pending()).toBe(0);
    expect(() => listener.peer.connect(ticket)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_PEER_UNKNOWN');
    expect(world.rendezvous.counters()).toMatchObject({ clients: 1, registrations: 0, sessions: 0 });
  });

  it('happens by itself at the end of a scope', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const incoming = firstValueFrom(listener.peer.incoming$);
    let left: Connection;
    {
      await using peer = (await world.inhabitant()).peer;
      await using connection = peer.connect(await listener.peer.createTicket());
      await connection.ready;
      left = connection;
    }
    expect((await left.verdict).code).toBeUndefined();
    expect((await (await incoming).verdict).code).toBeUndefined();
  });
});

describe('the verdict fulfils even when the session layer', () => {
  it.each<[string, (factory: SessionFactory) => SessionFactory['create'], ErrorCode]>([
    [
      'makes no session',
      () => () => {
        throw new Error('broken');
      },
      'ERR_SESSION_HANDSHAKE',
    ],
    [
      'breaks when a path comes up',
      (factory) => (options) =>
        Object.assign(factory.create(options), {
          pathChanged() {
            throw new Error('broken');
          },
        }),
      'ERR_PROTOCOL',
    ],
  ])('%s', async (_, breakIt, code) => {
    await using world = createWorld();
    const { clock, pending } = countingClock();
    const sessions = async (identity: Identity): Promise<SessionFactory> => {
      const factory = await quicSessions(identity);
      return { create: breakIt(factory), close: () => factory.close() };
    };
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant({ env: { clock, sessions } });
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    expect(await connection.verdict).toMatchObject({
      outcome: 'failed',
      code,
      summary: expect.stringContaining('broken'),
    });
    expect(await codeOf(connection.ready)).toBe(code);
    await dialer.peer.close();
    expect(pending()).toBe(0);
  });
});
