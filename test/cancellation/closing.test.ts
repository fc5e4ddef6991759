import { firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deferred } from '../../src/core/deferred.ts';
import { startServer } from '../../src/node.ts';
import { unusedPort } from '../cli/tcp.ts';
import { codeOf } from '../peer/world.ts';
import { meet, undecided } from './attempts.ts';
import { type Party, type Scene, setScene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await setScene();
});
afterEach(() => scene[Symbol.asyncDispose]());

/** Closed, the peer has given everything back. */
async function expectNothing({ peer, held }: Party): Promise<void> {
  await peer.close();
  await expect.poll(held).toEqual([]);
}

/** Fulfils when all that follows from a promise without waiting has been done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('close', () => {
  it('may be called again, meanwhile and afterwards, on connection and peer', async () => {
    const controller = new AbortController();
    const { dialer, listener, here } = await meet(scene, { signal: controller.signal });
    const there = await firstValueFrom(listener.peer.incoming$);
    const closes = [here.close(), here.close(), there.close(), dialer.peer.close(), listener.peer.close()];
    controller.abort();
    await Promise.all([...closes, dialer.peer.close(), here.close()]);
    for (const connection of [here, there]) {
      await connection.close();
      expect((await connection.verdict).code).toBeUndefined();
    }
    await expectNothing(dialer);
    await expectNothing(listener);
  });

  it('ends what a connection that never stood would have told of', async () => {
    const { here } = await meet(scene, {}, { listener: { accept: undecided() } });
    const ends = [here.state$, here.path$, here.streams$, here.datagrams.incoming$].map((source) =>
      lastValueFrom(source as Observable<unknown>, { defaultValue: 'nothing' }),
    );
    await here.close();
    expect(await Promise.all(ends)).toEqual(['failed', undefined, 'nothing', 'nothing']);
  });
});

describe('a ticket that is being made', () => {
  it('is given up with the peer while the server is silent', async () => {
    const url = await scene.muteServer();
    const party = await scene.listener({ env: () => ({ servers: [url] }) });
    const ticket = party.peer.createTicket();
    await party.peer.close();
    expect(await codeOf(ticket)).toBe('ERR_CLOSED');
    await expectNothing(party);
  });

  it('leaves a peer that goes on trying, until it is closed', async () => {
    const url = `ws://127.0.0.1:${await unusedPort()}`;
    const party = await scene.listener({ env: () => ({ servers: [url] }) });
    expect(await codeOf(party.peer.createTicket())).toBe('ERR_SERVER_UNREACHABLE');
    expect(party.held()).toContain('1 carriers');
    await expectNothing(party);
    expect(await codeOf(party.peer.createTicket())).toBe('ERR_CLOSED');
    expect(party.held()).toEqual([]);
  });
});

describe('a listener that has not decided', () => {
  it('begins nothing for a dialer that has left meanwhile', async () => {
    const [asked, answer] = [new Deferred(), new Deferred<boolean>()];
    const accept = (): Promise<boolean> => {
      asked.resolve();
      return answer.promise;
    };
    const { here, dialer, listener, before } = await meet(scene, {}, { listener: { accept } });
    await asked.promise;
    await here.close();
    await dialer.peer.close();
    await expect.poll(() => scene.server.counters()).toMatchObject({ sessions: 0, clients: 1 });
    answer.resolve(true);
    await settled();
    expect(listener.held()).toEqual(before.listener);
    await expectNothing(listener);
  });

  it('has room for others when those who waited have left', async () => {
    let asked = 0;
    const listener = await scene.listener({ accept: () => (asked++ < 32 ? new Promise(() => {}) : true) });
    const dialer = await scene.dialer();
    const ticket = await listener.peer.createTicket();
    const waiting = Array.from({ length: 32 }, () => dialer.peer.connect(ticket));
    await expect.poll(() => asked).toBe(32);
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_BUSY');
    await Promise.all(waiting.map((connection) => connection.close()));
    await expect.poll(() => scene.server.counters().sessions).toBe(0);
    await dialer.peer.connect(ticket).ready;
  });

  it('asks no more after it was closed', async () => {
    const answer = new Deferred<boolean>();
    let asked = 0;
    const accept = (): Promise<boolean> => {
      asked++;
      return answer.promise;
    };
    const listener = await scene.listener({ accept });
    const ticket = await listener.peer.createTicket({ once: true });
    const dialer = await scene.dialer();
    const ends = [dialer.peer.connect(ticket), dialer.peer.connect(ticket)].map(({ ready }) => codeOf(ready));
    await expect.poll(() => scene.server.counters().sessions).toBe(2);
    await expect.poll(() => asked).toBe(1);
    await listener.peer.close();
    expect(await Promise.all(ends)).toEqual(['ERR_PEER_GONE', 'ERR_PEER_GONE']);
    answer.resolve(true);
    await settled();
    expect(asked).toBe(1);
    await expectNothing(listener);
  });
});

describe('the queue of a ticket for one', () => {
  /** A listener that lets the second one in, and never decides on the first. */
  async function queue() {
    const keys: Uint8Array[] = [];
    const accept = ({ key }: { key: Uint8Array }): Promise<boolean> | boolean =>
      keys.push(key) > 1 || new Promise(() => {});
    const listener = await scene.listener({ accept });
    const ticket = await listener.peer.createTicket({ once: true });
    const first = await scene.dialer();
    const attempt = first.peer.connect(ticket);
    await expect.poll(() => keys).toHaveLength(1);
    return { listener, ticket, first, attempt, keys };
  }

  it('moves on when the first has left', async () => {
    const { ticket, attempt, keys } = await queue();
    const second = await scene.dialer();
    const next = second.peer.connect(ticket);
    await expect.poll(() => scene.server.counters().sessions).toBe(2);
    await attempt.close();
    await next.ready;
    expect(keys[1]).toEqual(second.peer.key);
  });

  it('passes over one that has left before its turn', async () => {
    const { ticket, attempt, keys } = await queue();
    const impatient = await scene.dialer();
    const given = impatient.peer.connect(ticket);
    await expect.poll(() => scene.server.counters().sessions).toBe(2);
    await given.close();
    await expect.poll(() => scene.server.counters().sessions).toBe(1);
    const third = await scene.dialer();
    const next = third.peer.connect(ticket);
    await attempt.close();
    await next.ready;
    expect(keys.slice(1)).toEqual([third.peer.key]);
  });
});

describe('servers', () => {
  it('of a ticket are left with the last connection that uses them', async () => {
    const { here, dialer, listener, before } = await meet(scene, {});
    const also = dialer.peer.connect(await listener.peer.createTicket());
    await Promise.all([here.ready, also.ready]);
    await here.close();
    expect(dialer.held()).toContain('1 carriers');
    await also.close();
    await expect.poll(dialer.held).toEqual(before.dialer);
    await expect.poll(() => scene.server.counters().clients).toBe(1);
  });

  it('that are shared by a connection leave no relayed path in each other’s stead', async () => {
    const second = await startServer({ port: 0, stun: false });
    const env = () => ({ servers: [scene.server.url, second.url] });
    const dialer = await scene.dialer({ policy: 'relay-only', env });
    const listener = await scene.listener({ env });
    const ticket = await listener.peer.createTicket();
    await expect.poll(() => [scene.server, second].map((server) => server.counters().registrations)).toEqual([1, 1]);
    const before = [dialer, listener].map(({ held }) => held());
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect(ticket);
    const there = await incoming;
    await expect.poll(() => second.counters().sessions).toBe(1);
    await here.close();
    await there.verdict;
    await expect.poll(() => [dialer, listener].map(({ held }) => held())).toEqual(before);
    await expectNothing(dialer);
    await expectNothing(listener);
    await second.close();
  });
});

it('a STUN server that was found too late is not asked any more', async () => {
  const [asked, answer] = [new Deferred(), new Deferred<readonly string[]>()];
  const party = await scene.dialer({
    env: ({ network }) => ({
      stun: ['stun.invalid:3478'],
      network: {
        ...network,
        resolve() {
          asked.resolve();
          return answer.promise;
        },
      },
    }),
  });
  await asked.promise;
  await party.peer.close();
  answer.resolve(['127.0.0.1']);
  await settled();
  expect(party.held()).toEqual([]);
  expect(party.network.sent).toBe(0);
});
