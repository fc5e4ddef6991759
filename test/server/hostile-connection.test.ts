import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { selfSignedCertificate } from '../../src/adapters/session/quic/certificate.ts';
import { manualClock } from '../manual-clock.ts';
import { connect, portOf, releaseAll, serve } from './raw-client.ts';
import { follow, rawSocket, upgradeRequest } from './raw-frames.ts';
import { type World, world } from './world.ts';

afterEach(releaseAll);

describe('a connection that', () => {
  it.each<[string, string]>([
    ['says nothing', ''],
    ['never ends its request', 'GET / HTTP/1.1\r\nHost: a\r\nX: '],
  ])('%s is told after 10 s, and ended', async (_name, bytes) => {
    const { clock, server, open, work } = await world();
    const { socket, ended } = await open();
    await new Promise((resolve) => socket.write(bytes, resolve));
    while (server.counters().halfOpen < 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 [\s\S]*no WebSocket in time/);
    expect(server.counters()).toMatchObject({ halfOpen: 0, rejected: { late: 1 } });
    await work();
  });

  it.each<[string, string | Buffer, string]>([
    ['speaks TLS', Buffer.from('16030100c8010000c40303\r\n\r\n', 'latin1'), '400'],
    ['speaks binary', Buffer.alloc(MAX_JUNK, 0xfe), '431'],
    ['smuggles a request with a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n', '400'],
    ['folds its lines', 'GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n', '400'],
    ['has two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', '400'],
    ['wants a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\n\r\n', '400'],
    ['sends a body by length', 'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n', '426'],
    [
      'sends a body in chunks',
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n',
      '426',
    ],
    ['upgrades to something else', upgradeRequest().replace('websocket', 'h2c'), '400'],
    ['upgrades with a wrong key', upgradeRequest().replace('AAAA==', ''), '400'],
    ['upgrades with POST', upgradeRequest().replace('GET', 'POST'), '405'],
  ])('%s gets one answer and is ended', async (_name, bytes, status) => {
    const { server, open, work } = await world();
    const { socket, ended } = await open();
    socket.write(bytes);
    const answer = await ended;
    expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    await work();
    expect(server.counters()).toMatchObject({ halfOpen: 0, clients: 2 });
  });

  it('sends thousands of requests at once gets one answer', async () => {
    const { open, work } = await world();
    const { socket, ended } = await open();
    socket.write('GET /healthz HTTP/1.1\r\n\r\n'.repeat(10_000));
    expect((await ended).match(/HTTP\/1\.1/g)).toHaveLength(1);
    await work();
  });

  it('is one too many of its address is told so', async () => {
    const { server, open, work } = await world({ halfOpenPerSource: 3 });
    for (let i = 0; i < 3; i++) await open();
    const { ended } = await open();
    expect(await ended).toMatch(/^HTTP\/1\.1 429 [\s\S]*too many connections of your address/);
    expect(server.counters()).toMatchObject({ halfOpen: 3, rejected: { 'source-half-open': 1 } });
    await work();
  });

  it('comes too soon after others of its address is told so', async () => {
    const { clock, server, open, port } = await world({ connectionsPerSource: { rate: 1, burst: 3 } });
    await open();
    expect(await (await open()).ended).toMatch(/^HTTP\/1\.1 429 [\s\S]*Retry-After: 5[\s\S]*too many new connections/);
    const elsewhere = await rawSocket({ port, localAddress: '127.0.0.2' });
    elsewhere.socket.write(upgradeRequest());
    await elsewhere.until('hello');
    elsewhere.socket.destroy();
    clock.advance(1_000);
    await connect(server);
  });

  it('is one too many of all makes the oldest give way', async () => {
    const { server, open } = await world({ halfOpen: 2 });
    const oldest = await open();
    await open();
    await open();
    expect(await oldest.ended).toMatch(/^HTTP\/1\.1 503 /);
    expect(server.counters()).toMatchObject({ halfOpen: 2, rejected: { 'half-open': 1 } });
  });
});

const MAX_JUNK = 8 * 1024;

describe('TLS that', () => {
  function secureWorld(): Promise<World> {
    const identity = createIdentity();
    return world({}, { tls: { cert: selfSignedCertificate(identity), key: identity.privateKeyPem } });
  }

  it('frees its place at the door once it is a WebSocket, and when it ends', async () => {
    const { server, port } = await secureWorld();
    expect(server.counters().halfOpen).toBe(0);
    const socket = connectTls({ port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    expect(server.counters().halfOpen).toBe(1);
    socket.destroy();
    while (server.counters().halfOpen > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it.each<[string, Buffer]>([
    ['never begins', Buffer.alloc(0)],
    ['is never finished', Buffer.from('160301020001000200', 'hex')],
  ])('%s is ended after 10 s', async (_name, bytes) => {
    const { clock, server, open, work } = await secureWorld();
    const { socket, ended } = await open();
    await new Promise((resolve) => socket.write(bytes, resolve));
    while (server.counters().halfOpen < 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    await ended;
    expect(server.counters()).toMatchObject({ halfOpen: 0, rejected: { late: 1 } });
    await work();
  });

  it('is followed by no request is told after 10 s', async () => {
    const { clock, server, port, work } = await secureWorld();
    const { socket, ended } = follow(connectTls({ port, rejectUnauthorized: false }));
    await once(socket, 'secureConnect');
    while (server.counters().halfOpen < 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
    await work();
  });

  it('is none is ended, and the server goes on', async () => {
    const { server, open, work } = await secureWorld();
    const { socket, ended } = await open();
    socket.write(upgradeRequest());
    await ended;
    expect(server.counters().halfOpen).toBe(0);
    await work();
  });
});

describe('tokens', () => {
  it('that are wrong are counted by address; after too many, none of that address is looked at', async () => {
    const clock = manualClock();
    const server = await serve({ clock, token: 'right', limits: { wrongTokensPerSource: { rate: 1, burst: 3 } } });
    const attempt = async (token: string, localAddress: string): Promise<string> => {
      const raw = follow(connectTcp({ port: portOf(server), localAddress }));
      raw.socket.write(upgradeRequest([`Authorization: Bearer ${token}`]));
      if (token !== 'right') return raw.ended;
      await raw.until('\r\n\r\n');
      raw.socket.destroy();
      return raw.text();
    };
    for (let i = 0; i < 3; i++) expect(await attempt(`wrong${i}`, '127.0.0.1')).toMatch(/^HTTP\/1\.1 401 /);
    expect(await attempt('wrong', '127.0.0.1')).toMatch(/^HTTP\/1\.1 429 [\s\S]*too many wrong tokens/);
    expect(await attempt('right', '127.0.0.1')).toMatch(/^HTTP\/1\.1 429 /);
    expect(await attempt('right', '127.0.0.2')).toMatch(/^HTTP\/1\.1 101 /);
    clock.advance(1_000);
    expect(await attempt('right', '127.0.0.1')).toMatch(/^HTTP\/1\.1 101 /);
    expect(server.counters().rejected).toMatchObject({ token: 3, 'token-rate': 2 });
  });
});
