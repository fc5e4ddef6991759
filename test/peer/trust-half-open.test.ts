import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import { Deferred } from '../../src/core/deferred.ts';
import type { Identity } from '../../src/core/identity.ts';
import type { Log } from '../../src/core/log.ts';
import type { SessionFactory } from '../../src/core/session.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { codeOf, createWorld, type Inhabitant, type InhabitantOptions } from './world.ts';

/** Sessions that never say anything: paths are found, and no handshake is ever made over them. */
async function muteSessions(identity: Identity): Promise<SessionFactory> {
  const sessions = await quicSessions(identity);
  return { ...sessions, create: (options) => sessions.create({ ...options, transmit: () => {} }) };
}

/** Fulfils with the code of the first incoming connection that failed. */
function firstFailure(): { readonly failure: Promise<string>; readonly log: Log } {
  const failed = new Deferred<string>();
  return {
    failure: failed.promise,
    log(event, details) {
      if (event === 'incoming.failed') failed.resolve(String(details?.code));
    },
  };
}

/** Fulfils when the connection has a path to send on. */
const untilPathStands = (connection: Connection): Promise<unknown> =>
  firstValueFrom(connection.path$.pipe(filter((path) => path !== undefined)));

/** Fulfils when the dialer has the standing answer: the server has handed its offer, and what was sent before, to the listener. */
const untilOffered = (connection: Connection): Promise<unknown> =>
  firstValueFrom(connection.state$.pipe(filter((state) => matchesState({ traversing: { punch: 'checking' } }, state))));

describe('a dialer that gives up before its session is established', () => {
  it.each<[string, InhabitantOptions]>([
    ['a relay', { policy: 'relay-only' }],
    ['a direct path', { policy: 'direct-only' }],
    ['both', {}],
  ])('is not waited for by the listener, over %s', async (_, options) => {
    await using world = createWorld();
    const { failure, log } = firstFailure();
    const listener = await world.inhabitant({ ...options, delays: { gone: 50 }, env: { log } });
    const dialer = await world.inhabitant({ ...options, env: { sessions: muteSessions } });
    const controller = new AbortController();
    const ticket = await listener.peer.createTicket();
    const connection = dialer.peer.connect(ticket, { signal: controller.signal });
    await untilPathStands(connection);
    controller.abort();
    expect(await codeOf(connection.ready)).toBe('ERR_ABORTED');
    expect(await failure).toBe('ERR_PEER_GONE');
  });

  it('is not waited for after a timeout of its own either', async () => {
    await using world = createWorld();
    const { failure, log } = firstFailure();
    const listener = await world.inhabitant({ delays: { gone: 50 }, env: { log } });
    const dialer = await world.inhabitant({ env: { sessions: muteSessions } });
    const connection = dialer.peer.connect(await listener.peer.createTicket(), { timeout: 300 });
    expect(await codeOf(connection.ready)).toBe('ERR_TIMEOUT');
    expect(await failure).toBe('ERR_PEER_GONE');
  });

  it('makes room for another one at once, whatever `accept` is doing', async () => {
    await using world = createWorld();
    let asked = 0;
    const full = new Deferred();
    const listener = await world.inhabitant({
      accept() {
        if (++asked === 32) full.resolve();
        return asked > 32 || new Promise(() => {});
      },
    });
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    const connections = Array.from({ length: 32 }, () => dialer.peer.connect(ticket));
    await full.promise;
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_BUSY');
    await Promise.all(connections.map((connection) => connection.close()));
    await dialer.peer.connect(ticket).ready;
  });
});

describe('the signal of `connect`', () => {
  it('ends a connection that stands as `close` does', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const incoming = firstValueFrom(listener.peer.incoming$);
    const controller = new AbortController();
    const connection = dialer.peer.connect(await listener.peer.createTicket(), { signal: controller.signal });
    await connection.ready;
    const there = await incoming;
    controller.abort();
    const verdicts = await Promise.all([connection.verdict, there.verdict]);
    expect(verdicts.map(({ code }) => code)).toEqual([undefined, undefined]);
    await expect(connection.ready).resolves.toBeUndefined();
  });
});

describe('a listener whose `accept` does not decide', () => {
  it('refuses when a connection would have had to stand', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant({ accept: () => new Promise(() => {}), delays: { traversing: 100 } });
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(connection.ready)).toBe('ERR_OFFER_REJECTED');
  });

  it('asks for no decision on the next one in the queue that has left', async () => {
    await using world = createWorld();
    const asked: Uint8Array[] = [];
    const answers: Deferred<boolean>[] = [];
    const first = new Deferred();
    const listener = await world.inhabitant({
      accept({ key }) {
        asked.push(key);
        first.resolve();
        const answer = new Deferred<boolean>();
        answers.push(answer);
        return asked.length === 1 ? answer.promise : true;
      },
    });
    const dialers = await Promise.all([0, 1, 2].map(() => world.inhabitant()));
    const [one, two, three] = dialers as [Inhabitant, Inhabitant, Inhabitant];
    const ticket = await listener.peer.createTicket({ once: true });
    const refused = one.peer.connect(ticket);
    await first.promise;
    const leaving = two.peer.connect(ticket);
    await untilOffered(leaving);
    await leaving.close();
    const last = three.peer.connect(ticket);
    await untilOffered(last);
    answers[0]!.resolve(false);
    expect(await codeOf(refused.ready)).toBe('ERR_OFFER_REJECTED');
    await last.ready;
    expect(asked).toEqual([one.peer.key, three.peer.key]);
  });
});
