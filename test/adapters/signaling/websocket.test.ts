import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { websocketSignaling } from '../../../src/adapters/signaling/websocket.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Random } from '../../../src/core/random.ts';
import type { Signaling, SignalingStatus } from '../../../src/core/signaling.ts';
import { decodeClientFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { type ServerOptions, startServer } from '../../../src/server/index.ts';
import { manualClock } from '../../manual-clock.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { seededRandom } from '../../seeded-random.ts';

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

interface ConnectOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly token?: string;
}

function connect(
  url: string,
  { clock = systemClock(), random = seededRandom('websocket'), token }: ConnectOptions = {},
): Signaling {
  const signaling = websocketSignaling({ url, clock, random, ...(token !== undefined && { token }) });
  releases.push(() => signaling.close());
  return signaling;
}

async function serve(options: ServerOptions = {}) {
  const server = await startServer({ port: 0, stun: false, ...options });
  releases.push(() => server.close());
  return server;
}

/** A WebSocket server that does only what the test makes it do. */
async function fakeServer(onClient: (socket: WebSocket) => void, { autoPong = true } = {}): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong });
  server.on('connection', onClient);
  await once(server, 'listening');
  releases.push(() => {
    for (const client of server.clients) client.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function hello(v = 1): string {
  const limits = { standing: 16, datagram: 1500 };
  return encodeFrame({ type: 'hello', v, name: 'fake', challenge: filled(32, 1), stun: [], relay: true, limits });
}

function nextStatus<S extends SignalingStatus['state']>(
  signaling: Signaling,
  state: S,
): Promise<Extract<SignalingStatus, { state: S }>> {
  const isWanted = (status: SignalingStatus): status is Extract<SignalingStatus, { state: S }> =>
    status.state === state;
  return firstValueFrom(signaling.status$.pipe(filter(isWanted)));
}

describe('a connection that cannot be made', () => {
  it('waits twice as long after each attempt, up to 30 s, with some chance in it', async () => {
    const server = await startServer({ port: 0, stun: false });
    await server.close();
    const clock = manualClock();
    const signaling = connect(server.url, { clock });
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const { code, retryIn } = await nextStatus(signaling, 'offline');
      expect(code).toBe('ERR_SERVER_UNREACHABLE');
      expect(retryIn).toBeGreaterThanOrEqual(ceiling / 2);
      expect(retryIn).toBeLessThanOrEqual(ceiling);
      clock.advance(retryIn!);
      expect(await firstValueFrom(signaling.status$)).toMatchObject({ state: 'connecting' });
    }
    await nextStatus(signaling, 'offline');
    expect(clock.pending).toBe(1);
    signaling.close();
    expect(clock.pending).toBe(0);
  });

  it('begins with the shortest wait again once it was online', async () => {
    const clock = manualClock();
    let refusals = 3;
    const url = await fakeServer((socket) => {
      if (refusals-- <= 0) socket.send(hello());
      socket.close(1013, 'full');
    });
    const signaling = connect(url, { clock });
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { retryIn } = await nextStatus(signaling, 'offline');
      waits.push(retryIn!);
      clock.advance(retryIn!);
    }
    expect(waits[2]).toBeGreaterThanOrEqual(1_000);
    expect(waits[3]).toBeLessThanOrEqual(500);
    expect(waits[4]).toBeLessThanOrEqual(500);
  });

  it('is given up after a wrong token', async () => {
    const server = await serve({ token: 'right' });
    for (const token of ['wrong', undefined]) {
      const clock = manualClock();
      const signaling = connect(server.url, { clock, ...(token !== undefined && { token }) });
      expect(await nextStatus(signaling, 'offline')).toMatchObject({ code: 'ERR_TOKEN', retryIn: undefined });
      expect(clock.pending).toBe(0);
    }
    await nextStatus(connect(server.url, { token: 'right' }), 'online');
  });

  it('is given up when the server speaks another version', async () => {
    const clock = manualClock();
    const url = await fakeServer((socket) => socket.send(hello(2)));
    const signaling = connect(url, { clock });
    expect(await nextStatus(signaling, 'offline')).toMatchObject({ code: 'ERR_VERSION', retryIn: undefined });
    expect(clock.pending).toBe(0);
  });

  it('is tried again when the server is full', async () => {
    const server = await serve({ limits: { clients: 1 } });
    await nextStatus(connect(server.url), 'online');
    const { code, reason, retryIn } = await nextStatus(connect(server.url), 'offline');
    expect({ code, reason }).toEqual({ code: 'ERR_SERVER_REFUSED', reason: 'this server is full' });
    expect(retryIn).toBeLessThanOrEqual(500);
  });

  it('names what answered instead', async () => {
    const http = createServer((_request, response) => response.writeHead(404).end());
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    releases.push(() => http.close());
    const signaling = connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const { code, reason } = await nextStatus(signaling, 'offline');
    expect(code).toBe('ERR_SERVER_UNREACHABLE');
    expect(reason).toMatch(/404/);
  });

  it('is given 10 s until the server says hello', async () => {
    const clock = manualClock();
    const connections = new Subject<WebSocket>();
    const connected = firstValueFrom(connections);
    const signaling = connect(await fakeServer((socket) => connections.next(socket)), { clock });
    await connected;
    clock.advance(9_999);
    expect(await firstValueFrom(signaling.status$)).toMatchObject({ state: 'connecting' });
    clock.advance(1);
    expect(await nextStatus(signaling, 'offline')).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
  });

  it.each(['http://127.0.0.1', 'example.org', ''])('is not tried at %j', (url) => {
    expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it('is not tried with a token that no header can hold', () => {
    expect(() => connect('ws://127.0.0.1:1', { token: 'a\nb' })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE' }),
    );
  });
});

describe('a standing connection', () => {
  it('carries an early offer before the server has said anything', async () => {
    const frames = new Subject<string>();
    const first = firstValueFrom(frames);
    const url = await fakeServer((socket) => socket.on('message', (data) => frames.next(String(data))));
    const offer = { session: filled(16, 1), to: filled(32, 2), ticketId: filled(16, 3), envelope: filled(10, 4) };
    connect(url).offer(offer);
    expect(decodeClientFrame(await first)).toMatchObject({ type: 'offer', ...offer });
  });

  it.each([
    { every: 20_000, spread: 0 },
    { every: 24_999, spread: 4_999 },
  ])(
    'is kept alive by a ping every $every ms, and ended when there is no sign of life for 10 s after one',
    async ({ every, spread }) => {
      const random = {
        bytes(length: number) {
          const bytes = new Uint8Array(length);
          new DataView(bytes.buffer).setUint32(length - 4, spread);
          return bytes;
        },
      };
      const clock = manualClock();
      const pings = new Subject<WebSocket>();
      const url = await fakeServer(
        (socket) => {
          socket.send(hello());
          socket.on('ping', () => pings.next(socket));
        },
        { autoPong: false },
      );
      const signaling = connect(url, { clock, random });
      const status = (): Promise<SignalingStatus> => firstValueFrom(signaling.status$);
      await nextStatus(signaling, 'online');
      clock.advance(every - 10_000 - 1);
      for (const silent of [false, false, true]) {
        const pinged = firstValueFrom(pings);
        clock.advance(2);
        const server = await pinged;
        if (silent) break;
        const alive = firstValueFrom(signaling.events$);
        server.pong();
        server.send(encodeFrame({ type: 'registered' }));
        await alive;
        clock.advance(every - 2);
      }
      clock.advance(9_997);
      expect(await status()).toMatchObject({ state: 'online' });
      clock.advance(2);
      const { code, reason } = await nextStatus(signaling, 'offline');
      expect(code).toBe('ERR_SERVER_UNREACHABLE');
      expect(reason).toMatch(/silent/);
    },
  );

  it('drops frames that make no sense', async () => {
    const events: string[] = [];
    const url = await fakeServer((socket) => {
      socket.send(hello());
      for (const junk of ['', 'null', '{"type":"hello"}', '{"type":"party"}']) socket.send(junk);
      socket.send(filled(10, 1));
      socket.send(encodeFrame({ type: 'registered' }));
    });
    const signaling = connect(url);
    const registered = firstValueFrom(signaling.events$);
    signaling.events$.subscribe(({ type }) => events.push(type));
    await registered;
    expect(events).toEqual(['registered']);
  });

  it('drops the newest datagram while the server does not read, and holds no more than 64 KiB', async () => {
    const url = await fakeServer((socket) => {
      socket.pause();
      socket.send(hello());
    });
    const signaling = connect(url);
    await nextStatus(signaling, 'online');
    const path = signaling.relay(filled(16, 1))!;
    let taken = 0;
    while (path.send(filled(1200, 1))) {
      taken += 1200;
      if (taken > 256 * 1024 * 1024) throw new Error('nothing was dropped');
    }
    expect(taken).toBeGreaterThan(64 * 1024);
    expect(path.send(filled(1200, 1))).toBe(false);
  });
});
