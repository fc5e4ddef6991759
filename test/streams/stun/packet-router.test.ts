import fc from 'fast-check';
import { config } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { BINDING, type EncodableAttribute, encodeMessage, type StunClass } from '../../../src/protocol/stun/index.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { SAMPLE_REQUEST } from '../../vectors/stun.ts';
import { testSocket } from './world.ts';

const peer = endpoint('198.51.100.1', 4000);
const stranger = endpoint('198.51.100.2', 4000);
const transactionId = Uint8Array.from({ length: 12 }, (_, i) => i);
const connectionId = Uint8Array.from({ length: 16 }, (_, i) => 100 + i);

describe('STUN responses', () => {
  it('go by transaction ID and source', () => {
    const { socket, router } = setUp();
    const handler = vi.fn();
    router.onResponse(transactionId, peer, handler);
    const response = stun('success');
    socket.receive(response, stranger);
    expect(handler).not.toHaveBeenCalled();
    socket.receive(response, peer);
    expect(handler).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ class: 'success', transactionId }), peer);
    expect(router.counters).toMatchObject({ responses: 1, unclaimed: 1 });
  });

  it('reach nobody once the handler is taken out', () => {
    const { socket, router } = setUp();
    const handler = vi.fn();
    const unregister = router.onResponse(transactionId, peer, handler);
    unregister();
    socket.receive(stun('error'), peer);
    expect(handler).not.toHaveBeenCalled();
    expect(router.counters.unclaimed).toBe(1);
  });

  it('keep the newer handler when the older one is taken out', () => {
    const { socket, router } = setUp();
    const newer = vi.fn();
    const unregister = router.onResponse(transactionId, peer, () => expect.unreachable());
    router.onResponse(transactionId, peer, newer);
    unregister();
    socket.receive(stun('success'), peer);
    expect(newer).toHaveBeenCalledOnce();
  });
});

describe('STUN requests', () => {
  it('go by the first part of USERNAME, from any source', () => {
    const { socket, router } = setUp();
    const handler = vi.fn();
    router.onRequest('evtj', handler);
    socket.receive(SAMPLE_REQUEST, stranger);
    expect(handler).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ class: 'request' }), stranger);
    expect(router.counters.requests).toBe(1);
  });

  it.each<[string, EncodableAttribute[]]>([
    ['without USERNAME', []],
    ['with another USERNAME', [{ type: 'username', value: 'h6vY:evtj' }]],
    ['with a USERNAME without colon', [{ type: 'username', value: 'evtj' }]],
  ])('%s are counted and dropped', (_name, attributes) => {
    const { socket, router } = setUp();
    router.onRequest('evtj', () => expect.unreachable());
    socket.receive(stun('request', attributes), peer);
    expect(router.counters).toMatchObject({ requests: 0, unclaimed: 1 });
  });
});

describe('QUIC packets', () => {
  it.each([
    ['a short header', quicShort(connectionId)],
    ['a long header', quicLong(connectionId)],
  ])('with %s go by connection ID, from any source', (_name, packet) => {
    const { socket, router } = setUp();
    const handler = vi.fn();
    router.onPacket(connectionId, handler);
    socket.receive(packet, peer);
    socket.receive(packet, stranger);
    expect(handler.mock.calls).toEqual([
      [packet, peer],
      [packet, stranger],
    ]);
    expect(router.counters.packets).toBe(2);
  });

  it.each([
    ['an unknown connection ID', quicShort(connectionId.with(0, 0))],
    ['a connection ID of another length', quicLong(connectionId.subarray(0, 8))],
    ['too few bytes for a connection ID', quicShort(connectionId).subarray(0, 16)],
    ['a single byte', Uint8Array.of(0xff)],
  ])('with %s are dropped', (_name, packet) => {
    const { socket, router } = setUp();
    router.onPacket(connectionId, () => expect.unreachable());
    socket.receive(packet, peer);
    expect(router.counters).toMatchObject({ packets: 0, unclaimed: 1 });
  });
});

describe('what is not for us', () => {
  it('is counted by kind', () => {
    const { socket, router } = setUp();
    socket.receive(stun('indication'), peer);
    socket.receive(SAMPLE_REQUEST.with(30, 0), peer);
    socket.receive(new Uint8Array(0), peer);
    socket.receive(Uint8Array.of(0x16, 0xfe, 0xfd), peer);
    socket.receive(SAMPLE_REQUEST.with(4, 0), peer);
    expect(router.counters).toEqual({
      responses: 0,
      requests: 0,
      packets: 0,
      indications: 1,
      malformed: 1,
      unclaimed: 0,
      foreign: 3,
    });
  });

  it('never throws, and is counted once each', () => {
    const cookie = fc.constant([0x21, 0x12, 0xa4, 0x42]);
    const stunLike = fc
      .tuple(fc.nat({ max: 0x3f }), fc.nat({ max: 255 }), cookie, fc.array(fc.nat({ max: 255 }), { maxLength: 100 }))
      .map(([a, b, magic, rest]) => {
        const body = [...rest, ...new Array<number>(12).fill(0)].slice(0, (rest.length + 12) & ~3);
        return Uint8Array.from([a, b, 0, body.length - 12, ...magic, ...body]);
      });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 64 }), stunLike)), (packets) => {
        const { socket, router } = setUp();
        for (const packet of packets) socket.receive(packet, peer);
        expect(Object.values(router.counters).reduce((a, b) => a + b)).toBe(packets.length);
      }),
    );
  });
});

describe('a handler that throws', () => {
  it('is reported as uncaught, and the router goes on', async () => {
    const bug = new Error('a bug in a handler');
    const reported = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    try {
      const { socket, router } = setUp();
      const handler = vi.fn().mockImplementationOnce(() => {
        throw bug;
      });
      router.onRequest('evtj', handler);
      socket.receive(SAMPLE_REQUEST, peer);
      socket.receive(SAMPLE_REQUEST, peer);
      expect(handler).toHaveBeenCalledTimes(2);
      await expect(reported).resolves.toBe(bug);
    } finally {
      config.onUnhandledError = null;
    }
  });
});

describe('the end', () => {
  it('closes the socket and forgets the handlers', async () => {
    const { socket, router } = setUp();
    router.onRequest('evtj', () => expect.unreachable());
    router.close();
    socket.receive(SAMPLE_REQUEST, peer);
    expect(socket.isClosed).toBe(true);
    await expect(router.ended).resolves.toBeUndefined();
  });

  it('tells why the socket broke', async () => {
    const { socket, router } = setUp();
    socket.break(new Error('EBADF'));
    await expect(router.ended).resolves.toMatchObject({ code: 'ERR_NETWORK' });
  });
});

function setUp() {
  const socket = testSocket(endpoint('0.0.0.0', 5000));
  return { socket, router: createPacketRouter(socket) };
}

function stun(stunClass: StunClass, attributes: EncodableAttribute[] = []): Uint8Array {
  return encodeMessage({ class: stunClass, method: BINDING, transactionId, attributes });
}

function quicShort(id: Uint8Array): Uint8Array {
  return Uint8Array.of(0x40, ...id, 1, 2, 3);
}

function quicLong(id: Uint8Array): Uint8Array {
  return Uint8Array.of(0xc0, 0, 0, 0, 1, id.length, ...id, 0, 1, 2);
}
