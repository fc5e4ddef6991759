import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { nodeNetwork } from '../../src/adapters/node/network.ts';
import { selfSignedCertificate } from '../../src/adapters/session/quic/certificate.ts';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { encodeRelayFrame } from '../../src/protocol/rendezvous/index.ts';
import { attribute, BINDING, decodeMessage, encodeMessage } from '../../src/protocol/stun/index.ts';
import { manualClock } from '../manual-clock.ts';
import { filled } from '../protocol/rendezvous/support.ts';
import { connect, join, portOf, releaseAll, releases, serve, session } from './raw-client.ts';

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

afterEach(releaseAll);

describe('HTTP', () => {
  it('says that it is well', async () => {
    const server = await serve();
    const [response] = await once(get(`http://127.0.0.1:${portOf(server)}/healthz`), 'response');
    expect(response.statusCode).toBe(200);
    expect(await bodyOf(response)).toBe('ok\n');
  });

  it('says what it is to whoever does not speak WebSocket', async () => {
    const server = await serve();
    const [response] = await once(get(`http://127.0.0.1:${portOf(server)}/`), 'response');
    expect(response.statusCode).toBe(426);
    expect(await bodyOf(response)).toMatch(/WebSocket/);
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['another', { authorization: 'Bearer wrong' }],
    ['another scheme', { authorization: 'Basic c2VjcmV0' }],
  ])('refuses a WebSocket with a token wanted and %s shown', async (_name, headers) => {
    const server = await serve({ token: 'secret' });
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    };
    const request = get(`http://127.0.0.1:${portOf(server)}/`, { headers: { ...upgrade, ...headers } });
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(server.counters().clients).toBe(0);
  });

  it('accepts the right token', async () => {
    const server = await serve({ token: 'secret' });
    const client = await connect(server, { headers: { authorization: 'Bearer secret' } });
    expect(client.hello.relay).toBe(true);
  });

  it('is encrypted with a certificate', async () => {
    const identity = createIdentity();
    const cert = selfSignedCertificate(identity);
    const server = await serve({ tls: { cert, key: identity.privateKeyPem } });
    expect(server.url).toMatch(/^wss:/);
    await connect(server, { rejectUnauthorized: false });
    const health = getTls(`https://127.0.0.1:${portOf(server)}/healthz`, { rejectUnauthorized: false });
    const [response] = await once(health, 'response');
    expect(await bodyOf(response)).toBe('ok\n');
    const untrusting = new WebSocket(server.url);
    const [error] = await once(untrusting, 'error');
    expect(error.message).toMatch(/self-signed/);
  });
});

describe('starting', () => {
  it.each(['0.0.0.0', '::'])('refuses %s without a token, unless it is to be open', async (host) => {
    await expect(serve({ host })).rejects.toMatchObject({ code: 'ERR_USAGE', message: expect.stringMatching(/token/) });
    await serve({ host, open: true });
    await serve({ host, token: 'secret' });
  });

  it('takes a name for a host', async () => {
    const server = await serve({ host: 'localhost' });
    expect(server.url).toMatch(/^ws:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
    await connect(server);
  });

  it('refuses a token that no header can hold, and a key that is none', async () => {
    await expect(serve({ token: '' })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(serve({ token: 'ü' })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(serve({ tls: { cert: 'x', key: 'y' } })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('names a port that is taken, TCP or UDP, and leaves nothing bound', async () => {
    const server = await serve();
    const [stun] = server.stun;
    await expect(serve({ port: portOf(server) })).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    await expect(serve({ stunPort: stun!.port })).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    const port = portOf(server);
    await server.close();
    const again = await serve({ port });
    expect(portOf(again)).toBe(port);
  });
});

/** What the server sees a fresh socket as, asked at `server`. */
async function askBinding(server: Endpoint): Promise<{ seen: Endpoint | undefined; asked: Endpoint; from: Endpoint }> {
  const socket = await nodeNetwork().udp({ family: server.family, address: server.address });
  releases.push(() => socket.close());
  const answer = firstValueFrom(socket.datagrams$);
  const transactionId = randomBytes(12);
  socket.send(encodeMessage({ class: 'request', method: BINDING, transactionId, attributes: [] }), server);
  const { data, from } = await answer;
  return { seen: attribute(decodeMessage(data), 'xor-mapped-address')?.endpoint, asked: socket.local, from };
}

describe('STUN', () => {
  it('answers on two ports, which the hello names', async () => {
    const server = await serve();
    expect(server.stun).toHaveLength(2);
    for (const at of server.stun) {
      const { seen, asked, from } = await askBinding(at);
      expect(seen).toEqual(asked);
      expect(from).toEqual(at);
    }
    expect((await connect(server)).hello.stun).toEqual(server.stun.map(({ port }) => `:${port}`));
    expect(server.counters().stun).toMatchObject({ answered: 2 });
  });

  it('takes the next port for the second', async () => {
    const probe = await serve();
    const first = probe.stun[0]!.port;
    await probe.close();
    const server = await serve({ stunPort: first });
    expect(server.stun.map(({ port }) => port)).toEqual([first, first + 1]);
  });

  it('serves both families on the IPv6 wildcard', async () => {
    const server = await serve({ host: '::', open: true });
    const port = server.stun[0]!.port;
    for (const at of [
      { address: '127.0.0.1', port, family: 4 } as const,
      { address: '::1', port, family: 6 } as const,
    ]) {
      const { seen, asked } = await askBinding(at);
      expect(seen).toEqual(asked);
    }
  });

  it.runIf(process.platform === 'linux')(
    'offers behaviour discovery on a second address (127/8 is Linux)',
    async () => {
      const server = await serve({ stunAlternate: '127.0.0.2' });
      expect(server.stun).toHaveLength(4);
      const [first] = server.stun;
      const socket = await nodeNetwork().udp({ family: 4, address: '127.0.0.1' });
      releases.push(() => socket.close());
      const answer = firstValueFrom(socket.datagrams$);
      const attributes = [{ type: 'change-request', changeIp: true, changePort: true }] as const;
      socket.send(
        encodeMessage({ class: 'request', method: BINDING, transactionId: randomBytes(12), attributes }),
        first!,
      );
      const { data, from } = await answer;
      expect(from.address).toBe('127.0.0.2');
      expect(from.port).not.toBe(first!.port);
      expect(attribute(decodeMessage(data), 'other-address')?.endpoint).toEqual(from);
      expect((await connect(server)).hello.stun).toContain(`127.0.0.2:${first!.port}`);
    },
  );

  it.each([
    ['0.0.0.0', '127.0.0.2'],
    ['127.0.0.1', '::1'],
    ['127.0.0.1', 'example.org'],
  ])('refuses %s with the second address %s', async (host, stunAlternate) => {
    await expect(serve({ host, stunAlternate, open: true })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('can be switched off', async () => {
    const server = await serve({ stun: false });
    expect(server.stun).toEqual([]);
    expect(server.counters().stun).toBeUndefined();
    expect((await connect(server)).hello.stun).toEqual([]);
  });
});

describe('clients', () => {
  it('are told when the server stops', async () => {
    const server = await serve();
    const client = await connect(server);
    const [closed] = await Promise.all([once(client.socket, 'close'), server.close()]);
    expect(closed[0]).toBe(1001);
  });

  it('do not keep the server from stopping', async () => {
    const clock = manualClock();
    const server = await serve({ clock });
    const client = await connect(server);
    client.socket.pause();
    const closed = server.close();
    clock.advance(1_000);
    await closed;
  });

  it('that fall silent are disconnected', async () => {
    const clock = manualClock();
    const server = await serve({ clock });
    const dead = await connect(server, { autoPong: false });
    const live = await connect(server);
    const pinged = [once(dead.socket, 'ping'), once(live.socket, 'ping')];
    clock.advance(30_000);
    await Promise.all(pinged);
    // The server has read the pong once it has read what was sent after it.
    live.send({ type: 'envelope', session, envelope: filled(1, 1) });
    await live.next();
    const closed = once(dead.socket, 'close');
    clock.advance(30_000);
    await closed;
    expect(server.counters().clients).toBe(1);
  });

  it('that send what is too long are disconnected, others are not', async () => {
    const server = await serve();
    const [rude, calm] = [await connect(server), await connect(server)];
    rude.socket.send('x'.repeat(192 * 1024 + 1));
    expect((await once(rude.socket, 'close'))[0]).toBe(1009);
    calm.send({ type: 'envelope', session, envelope: filled(1, 1) });
    expect(await calm.next()).toMatchObject({ type: 'unreachable' });
  });

  it('that read slowly lose datagrams, and cost the server no more than 256 KiB each', async () => {
    const server = await serve({ limits: { relay: { rate: 1e12, burst: 1e12 } } });
    const { dialer, listener } = await join(server);
    listener.socket.pause();
    const frame = encodeRelayFrame(session, filled(1500, 1));
    while (server.counters().slowDatagrams === 0) {
      for (let i = 0; i < 500; i++) dialer.socket.send(frame);
      dialer.send({ type: 'envelope', session: filled(16, 99), envelope: filled(1, 1) });
      await dialer.next();
    }
    const { relayedDatagrams, slowDatagrams } = server.counters();
    expect(relayedDatagrams).toBeGreaterThan(slowDatagrams);
    let received = 0;
    listener.socket.on('message', (_data, isBinary) => {
      received += isBinary ? 1 : 0;
    });
    listener.socket.resume();
    dialer.send({ type: 'envelope', session, envelope: filled(1, 2) });
    expect(await listener.next()).toMatchObject({ type: 'envelope' });
    expect(received).toBe(server.counters().relayedDatagrams - server.counters().slowDatagrams);
  });

  it('that send far faster than they are relayed are read more slowly, and stay', async () => {
    const clock = manualClock();
    const limits = { relay: { rate: 1, burst: 5_000 }, drops: { rate: 1, burst: 50 } };
    const server = await serve({ clock, limits });
    const { dialer } = await join(server);
    const dropped = (): number => server.counters().dropped.rate;
    const frame = encodeRelayFrame(session, filled(1200, 1));
    for (let i = 0; i < 10_000; i++) dialer.socket.send(frame);
    const nobodys = filled(16, 99);
    dialer.send({ type: 'envelope', session: nobodys, envelope: filled(1, 1) });
    await vi.waitFor(() => expect(dropped()).toBeGreaterThan(50));
    await setTimeout(100);
    expect(dropped()).toBeLessThan(1_000);
    const untilRead = dialer.next();
    await vi.waitFor(() => {
      clock.advance(100);
      expect(dropped()).toBe(10_000 - 4);
    }, 10_000);
    expect(await untilRead).toMatchObject({ type: 'unreachable', session: nobodys });
    expect(server.counters()).toMatchObject({ cutOff: 0, clients: 2 });
  });

  it('that do not read at all are disconnected before control frames pile up', async () => {
    const control = { rate: 1e9, burst: 1e9 };
    const server = await serve({ limits: { control } });
    const { dialer, listener } = await join(server);
    listener.socket.pause();
    let gone = false;
    while (!gone) {
      for (let i = 0; i < 50; i++) dialer.send({ type: 'envelope', session, envelope: filled(16_000, 1) });
      dialer.send({ type: 'envelope', session: filled(16, 99), envelope: filled(1, 1) });
      for (let frame = await dialer.next(); ; frame = await dialer.next()) {
        if (frame.type !== 'unreachable') throw new Error(`unexpected ${frame.type}`);
        if (frame.session[0] === 99) break;
        gone ||= frame.reason === 'gone';
      }
    }
    expect(server.counters()).toMatchObject({ slowClients: 1, clients: 1 });
  });
});
