import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/network.ts';
import { cryptoRandom } from '../../src/adapters/node/random.ts';
import type { Binding } from '../../src/core/binding.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import { attribute, BINDING, decodeMessage, encodeMessage } from '../../src/protocol/stun/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import { stunOverTcp } from '../../src/streams/stun-over-tcp.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { filled } from '../protocol/rendezvous/support.ts';
import { connect, releaseAll, releases, serve } from './raw-client.ts';
import { follow, type RawSocket } from './raw-frames.ts';

afterEach(releaseAll);

const request = (attributes: Parameters<typeof encodeMessage>[0]['attributes'] = []): Uint8Array =>
  encodeMessage({ class: 'request', method: BINDING, transactionId: filled(12, 1), attributes });

async function ask(server: Endpoint, localPort?: number): Promise<Binding> {
  const socket = await nodeNetwork().connect({
    host: server.address,
    port: server.port,
    ...(localPort !== undefined && { localPort }),
  });
  releases.push(() => socket.destroy());
  return stunOverTcp({ socket, clock: manualClock(), random: cryptoRandom(), signal: new AbortController().signal });
}

/** Opens a connection from an address of this machine, and waits until the server has it. */
async function open(server: RunningServer, localAddress = '127.0.0.1'): Promise<RawSocket & { socket: Socket }> {
  const { tcp, at } = { tcp: server.counters().stunTcp!, at: server.stun[0]! };
  const seen = (): number => tcp.open + tcp.crowded + tcp.gaveWay;
  const before = seen();
  const raw = follow(connectTcp({ host: at.address, port: at.port, localAddress }));
  releases.push(() => raw.socket.destroy());
  while (seen() === before) await new Promise((resolve) => setImmediate(resolve));
  return raw;
}

async function clocked(): Promise<{ clock: ManualClock; server: RunningServer }> {
  const clock = manualClock();
  return { clock, server: await serve({ clock }) };
}

describe('STUN on TCP', () => {
  it('tells a client its port, on both ports of STUN', async () => {
    const server = await serve();
    for (const at of server.stun) {
      const { mapped, local } = await ask(at);
      expect(mapped).toEqual(local);
    }
    expect(server.counters()).toMatchObject({ stun: { answered: 0 }, stunTcp: { answered: 2, open: 2 } });
  });

  it('serves both families on the IPv6 wildcard', async () => {
    const server = await serve({ host: '::', open: true });
    for (const address of ['127.0.0.1', '::1']) {
      const { mapped, local } = await ask(endpoint(address, server.stun[0]!.port));
      expect(mapped).toEqual(local);
    }
  });

  it('takes several requests on a connection, cut as they come', async () => {
    const server = await serve();
    const { socket } = await open(server);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    const bytes = Buffer.concat([request(), request(), request()]);
    for (const part of [bytes.subarray(0, 5), bytes.subarray(5, 41), bytes.subarray(41)]) {
      await new Promise((resolve) => socket.write(part, resolve));
    }
    while (Buffer.concat(received).length < 3 * 32) await new Promise((resolve) => socket.once('data', resolve));
    expect(server.counters().stunTcp).toMatchObject({ answered: 3, bytesIn: 60, bytesOut: 96, open: 1 });
  });

  it('refuses CHANGE-REQUEST, also where there is a second address', async () => {
    const server = await serve(process.platform === 'linux' ? { stunAlternate: '127.0.0.2' } : {});
    const { socket } = await open(server);
    socket.write(request([{ type: 'change-request', changeIp: true, changePort: true }]));
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(attribute(decodeMessage(answer), 'error-code')).toMatchObject({ code: 420 });
  });

  it.each<[string, Uint8Array, object]>([
    ['is no STUN', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { malformed: 1 }],
    ['is too long', Buffer.from(`00010400${'2112a442'}${'00'.repeat(12)}`, 'hex'), { malformed: 1 }],
    [
      'is an indication',
      encodeMessage({ class: 'indication', method: BINDING, transactionId: filled(12, 1), attributes: [] }),
      { ignored: 1 },
    ],
    [
      'is an Allocate request',
      encodeMessage({ class: 'request', method: 3, transactionId: filled(12, 1), attributes: [] }),
      { ignored: 1 },
    ],
  ])('ends a connection on which what comes %s, without a word', async (_name, bytes, counted) => {
    const server = await serve();
    const { socket, ended } = await open(server);
    socket.write(bytes);
    expect(await ended).toBe('');
    expect(server.counters().stunTcp).toMatchObject({ answered: 0, open: 0, ...counted });
  });

  it('ends a connection on which there was no request for 30 s', async () => {
    const { clock, server } = await clocked();
    const { socket, ended } = await open(server);
    clock.advance(29_999);
    socket.write(request());
    await new Promise((resolve) => socket.once('data', resolve));
    clock.advance(29_999);
    expect(server.counters().stunTcp).toMatchObject({ open: 1, idle: 0 });
    clock.advance(1);
    await ended;
    expect(server.counters().stunTcp).toMatchObject({ open: 0, idle: 1 });
  });

  it('answers no more than its rate, and ends the connection of who asks for more', async () => {
    const { server } = await clocked();
    const { socket, ended } = await open(server);
    for (let i = 0; i < 201; i++) socket.write(request());
    await ended;
    expect(server.counters().stunTcp).toMatchObject({ rateLimited: 1, open: 0 });
  });

  it('has 64 connections of a network', async () => {
    const { server } = await clocked();
    for (let i = 0; i < 64; i++) await open(server);
    await (await open(server)).ended;
    expect(server.counters().stunTcp).toMatchObject({ open: 64, crowded: 1 });
  });

  it.runIf(process.platform === 'linux')('has 1,024 in all, of which the longest silent gives way', async () => {
    const { server } = await clocked();
    const [first, second] = [await open(server, '127.1.0.1'), await open(server, '127.1.0.1')];
    for (let i = 2; i < 1024; i++) await open(server, `127.1.${i >> 5}.1`);
    first.socket.write(request());
    await new Promise((resolve) => first.socket.once('data', resolve));
    await open(server, '127.2.0.1');
    await second.ended;
    expect(server.counters().stunTcp).toMatchObject({ open: 1024, gaveWay: 1, crowded: 0 });
  });

  it('is told in the metrics', async () => {
    const server = await serve();
    await ask(server.stun[0]!);
    const metrics = server.metrics();
    expect(metrics).toContain('sallyport_stun_tcp_requests_total{reason="answered"} 1');
    expect(metrics).toContain('sallyport_stun_tcp_connections 1');
    expect(metrics).toContain('sallyport_stun_tcp_closed_total{reason="gave-way"} 0');
  });

  it('ends with the server', async () => {
    const server = await serve();
    const { ended } = await open(server);
    await server.close();
    expect(await ended).toBe('');
  });

  it('is switched off with STUN', async () => {
    const server = await serve({ stun: false });
    expect(server.counters().stunTcp).toBeUndefined();
    expect(server.metrics()).not.toContain('stun');
    expect((await connect(server)).hello.stun).toEqual([]);
  });
});
