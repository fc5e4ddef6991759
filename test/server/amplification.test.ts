import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { encodeRelayFrame } from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { BINDING, encodeMessage } from '../../src/protocol/stun/index.ts';
import { filled, testIdentity } from '../protocol/rendezvous/support.ts';
import { connect, portOf, releaseAll, releases, serve } from './raw-client.ts';
import { rawSocket, upgradeRequest } from './raw-frames.ts';

/**
 * Bytes that a stranger can make the server send, for each byte that the stranger sends. Where an address can be forged (UDP) the
 * bound is 2, with the headers of IP and UDP counted on both sides; TCP has verified it before a byte of ours goes out.
 */
afterEach(releaseAll);

const IP_AND_UDP = { 4: 28, 6: 48 };
const transactionId = (): Uint8Array => randomBytes(12);

function request(attributes: Parameters<typeof encodeMessage>[0]['attributes'] = []): Uint8Array {
  return encodeMessage({ class: 'request', method: BINDING, transactionId: transactionId(), attributes });
}

/** Sends these datagrams, then a Binding request to know that they have been worked through; bytes in and out without it. */
async function exchange(
  server: Endpoint,
  datagrams: readonly Uint8Array[],
): Promise<{ sent: number; received: number }> {
  const overhead = IP_AND_UDP[server.family];
  const socket = createSocket(server.family === 4 ? 'udp4' : 'udp6');
  releases.push(() => socket.close());
  const last = request();
  let received = 0;
  const done = new Promise<void>((resolve) => {
    socket.on('message', (reply) => {
      if (reply.subarray(8, 20).equals(last.subarray(8, 20))) resolve();
      else received += overhead + reply.length;
    });
  });
  let sent = 0;
  for (const datagram of [...datagrams, last]) {
    socket.send(datagram, server.port, server.address);
    if (datagram !== last) sent += overhead + datagram.length;
  }
  await done;
  return { sent, received };
}

describe('amplification over UDP', () => {
  const unknown = Buffer.concat([request(), Buffer.alloc(40)]);
  // Ten comprehension-required attributes that nobody knows, without values.
  for (let i = 0; i < 10; i++) unknown.writeUInt16BE(0x7f00 + i, 20 + 4 * i);
  unknown.writeUInt16BE(40, 2);

  const cases: [string, readonly Uint8Array[]][] = [
    ['the shortest request', [request()]],
    ['a request for another address', [request([{ type: 'change-request', changeIp: true, changePort: true }])]],
    ['ten unknown attributes', [unknown]],
    [
      'a response',
      [encodeMessage({ class: 'success', method: BINDING, transactionId: transactionId(), attributes: [] })],
    ],
    [
      'an indication',
      [encodeMessage({ class: 'indication', method: BINDING, transactionId: transactionId(), attributes: [] })],
    ],
    ['a cut request', [request().subarray(0, 19)]],
    ['a first byte alone', [Uint8Array.of(0), Uint8Array.of(0x40), Uint8Array.of(0xff)]],
    ['an empty datagram', [new Uint8Array(0)]],
    ['1,200 bytes of QUIC', [Buffer.concat([Buffer.of(0xc0, 0, 0, 0, 1), Buffer.alloc(1_195)])]],
  ];

  it.each(cases)('is at most 2 for %s', async (_name, datagrams) => {
    for (const host of ['127.0.0.1', '::1']) {
      const server = await serve({ host });
      for (const at of server.stun) {
        const { sent, received } = await exchange(at, datagrams);
        expect(received / sent).toBeLessThanOrEqual(2);
      }
    }
  });

  it('is at most 2 where the server has a second address', async () => {
    const server = await serve({ stunAlternate: '127.0.0.2' });
    for (const at of server.stun) {
      const { sent, received } = await exchange(at, [request(), unknown]);
      expect(received).toBeGreaterThan(0);
      expect(received / sent).toBeLessThanOrEqual(2);
    }
  });

  it('is nothing beyond the rate', async () => {
    const server = await serve();
    const flood = Array.from({ length: 150 }, () => request());
    await exchange(server.stun[0]!, flood);
    const socket = createSocket('udp4');
    releases.push(() => socket.close());
    for (const datagram of flood) socket.send(datagram, server.stun[0]!.port, '127.0.0.1');
    while (server.counters().stun!.rateLimited < 90) await new Promise((resolve) => setImmediate(resolve));
    const { answered } = server.counters().stun!;
    expect(answered).toBeGreaterThanOrEqual(200);
    expect(answered).toBeLessThan(212);
  });
});

describe('over TCP', () => {
  it('nothing is sent before a whole request has come, and one short answer then', async () => {
    const server = await serve({ token: 'secret' });
    for (const bytes of ['', 'GET / HTTP/1.1\r\n', 'x'.repeat(8_191)]) {
      const { socket, text } = await rawSocket({ port: portOf(server) });
      releases.push(() => socket.destroy());
      await new Promise((resolve) => socket.write(bytes, resolve));
      // Served after it, so that its bytes have been looked at.
      const other = await rawSocket({ port: portOf(server) });
      other.socket.write('GET /healthz HTTP/1.1\r\n\r\n');
      await other.ended;
      expect(text()).toBe('');
    }
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'GET /healthz HTTP/1.1\r\n\r\n', '\r\n\r\n', upgradeRequest()]) {
      const { socket, ended } = await rawSocket({ port: portOf(server) });
      socket.write(bytes);
      expect((await ended).length).toBeLessThan(256);
    }
  });

  it('an upgrade and the hello are at most four times its request', async () => {
    const server = await serve();
    const { socket, until, text } = await rawSocket({ port: portOf(server) });
    releases.push(() => socket.destroy());
    socket.write(upgradeRequest());
    await until('"limits"');
    expect(text().length / upgradeRequest().length).toBeLessThan(4);
  });

  it('a listener that has not answered is sent no more than its dialer sends', async () => {
    const server = await serve();
    const identity = testIdentity();
    const [listener, dialer] = [await connect(server), await connect(server)];
    await listener.register(identity);
    let received = 0;
    listener.socket.on('message', (data) => {
      received += (data as Buffer).length;
    });
    const session = filled(16, 1);
    const ids = { session, ticketId: filled(16, 2), caller: filled(16, 3) };
    const offer = encodeFrame({ type: 'offer', to: identity.key, envelope: filled(5_000, 4), ...ids });
    const datagram = encodeRelayFrame(session, filled(1_200, 1));
    dialer.socket.send(offer);
    for (let i = 0; i < 100; i++) dialer.socket.send(datagram);
    dialer.send({ type: 'envelope', session: filled(16, 9), envelope: filled(1, 1) });
    await dialer.next();
    while (received < offer.length - 100) await once(listener.socket, 'message');
    expect(server.counters().relayedDatagrams).toBe(8);
    expect(received).toBeLessThanOrEqual(offer.length + 8 * datagram.length);
  });
});
