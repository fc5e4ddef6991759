import { describe, expect, it } from 'vitest';
import type { Binding } from '../../../src/core/binding.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  errorResponse,
  type OutgoingMessage,
} from '../../../src/protocol/stun/index.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { type StunTransactionOptions, stunTransaction } from '../../../src/streams/stun-transaction.ts';
import { testClock, testRandom, testSocket } from './world.ts';

const server = endpoint('198.51.100.1', 3478);
const other = endpoint('198.51.100.2', 3479);
const mapped = endpoint('203.0.113.7', 40000);

describe('retransmission', () => {
  it('sends 7 requests at 0, 500, 1500 .. 31500 ms and gives up at 39500 (RFC 8489 section 6.2.1)', () => {
    const { clock, socket, outcome, start } = setUp();
    start();
    const times: number[] = [];
    for (let at = 0; at < 39_500; at += 500) {
      expect(outcome.error).toBeUndefined();
      while (times.length < socket.sent.length) times.push(at);
      clock.advance(500);
    }
    expect(times).toEqual([0, 500, 1500, 3500, 7500, 15500, 31500]);
    expect(outcome.error).toMatchObject({ code: 'ERR_STUN_TIMEOUT' });
    expect(clock.now()).toBe(39_500);
    expect(clock.pending).toBe(0);
  });

  it('sends the same bytes each time, with FINGERPRINT', () => {
    const { clock, socket, start } = setUp();
    start();
    clock.advance(1500);
    expect(socket.sent).toHaveLength(3);
    for (const { data, to } of socket.sent) {
      expect(to).toEqual(server);
      expect(data).toEqual(socket.sent[0]!.data);
    }
    expect(attribute(decodeMessage(socket.sent[0]!.data), 'fingerprint')).toBeDefined();
  });

  it('does nothing before it is subscribed to', () => {
    const { socket, clock } = setUp();
    clock.advance(1000);
    expect(socket.sent).toEqual([]);
  });

  it('stops when unsubscribed, and leaves nothing behind', () => {
    const { clock, socket, router, start } = setUp();
    start().unsubscribe();
    clock.advance(60_000);
    expect(socket.sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
    socket.receive(success(socket.sent[0]!.data), server);
    expect(router.counters).toMatchObject({ responses: 0, unclaimed: 1 });
  });
});

describe('an answer', () => {
  it('is emitted with what the server observed, and ends the transaction', () => {
    const { clock, socket, outcome, start } = setUp();
    start();
    clock.advance(42);
    socket.receive(success(socket.sent[0]!.data, [{ type: 'other-address', endpoint: other }]), server);
    expect(outcome.bindings).toEqual([{ server, local: socket.local, mapped, rtt: 42, other }]);
    expect(outcome.completed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('may come while the request is still being sent', () => {
    const clock = testClock();
    const socket = testSocket(endpoint('0.0.0.0', 5000), (data) => socket.receive(success(data), server));
    const router = createPacketRouter(socket);
    const bindings: Binding[] = [];
    stunTransaction({ router, server, clock, random: testRandom() }).subscribe((binding) => bindings.push(binding));
    expect(bindings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['of the first request, while its round trip is plausible', 100, 430, 430],
    ['of the retransmission, when the first is too old', 500, 620, 120],
    ['of the last request, when all are old', 500, 1400, 900],
  ])('counts the round trip %s', (_name, rto, at, rtt) => {
    const { clock, socket, outcome, start } = setUp({ rto });
    start();
    clock.advance(at);
    socket.receive(success(socket.sent[0]!.data), server);
    expect(outcome.bindings.map((binding) => binding.rtt)).toEqual([rtt]);
  });

  it('from elsewhere is not one', () => {
    const { socket, outcome, start } = setUp();
    start();
    socket.receive(success(socket.sent[0]!.data), other);
    expect(outcome).toEqual({ bindings: [], completed: false });
  });

  it.each<[string, (request: Uint8Array) => Uint8Array, RegExp]>([
    ['is an error', (bytes) => encodeMessage(errorResponse(decodeMessage(bytes), 400)), /error 400 Bad Request/],
    ['lacks XOR-MAPPED-ADDRESS', (bytes) => encodeMessage(response(bytes, [])), /no XOR-MAPPED-ADDRESS/],
    ['is of another method', (bytes) => encodeMessage({ ...response(bytes, []), method: 3 }), /method 3/],
    ['must be understood and is not', (bytes) => withUnknownAttribute(success(bytes)), /unknown attributes 32767/],
  ])('that %s fails with ERR_STUN_RESPONSE', (_name, answer, message) => {
    const { clock, socket, outcome, start } = setUp();
    start();
    socket.receive(answer(socket.sent[0]!.data), server);
    expect(outcome.error).toMatchObject({ code: 'ERR_STUN_RESPONSE', message: expect.stringMatching(message) });
    expect(clock.pending).toBe(0);
  });
});

describe('an answer from another origin', () => {
  const change: Partial<StunTransactionOptions> = {
    attributes: [{ type: 'change-request', changeIp: true, changePort: true }],
    answerFrom: other,
  };

  it('is taken when it was asked for', () => {
    const { socket, outcome, start } = setUp(change);
    start();
    expect(attribute(decodeMessage(socket.sent[0]!.data), 'change-request')?.changeIp).toBe(true);
    socket.receive(success(socket.sent[0]!.data), other);
    expect(outcome.bindings).toHaveLength(1);
  });

  it('is not replaced by one from the server itself', () => {
    const { socket, outcome, start } = setUp(change);
    start();
    socket.receive(success(socket.sent[0]!.data), server);
    expect(outcome.error).toMatchObject({ code: 'ERR_STUN_RESPONSE' });
  });
});

interface Outcome {
  readonly bindings: Binding[];
  completed: boolean;
  error?: unknown;
}

function setUp(options: Partial<StunTransactionOptions> = {}) {
  const clock = testClock();
  const socket = testSocket(endpoint('0.0.0.0', 5000));
  const router = createPacketRouter(socket);
  const binding$ = stunTransaction({ router, server, clock, random: testRandom(), ...options });
  const outcome: Outcome = { bindings: [], completed: false };
  const start = () =>
    binding$.subscribe({
      next: (binding) => outcome.bindings.push(binding),
      error: (error) => {
        outcome.error = error;
      },
      complete: () => {
        outcome.completed = true;
      },
    });
  return { clock, socket, router, outcome, start };
}

function response(request: Uint8Array, attributes: readonly EncodableAttribute[]): OutgoingMessage {
  const { method, transactionId } = decodeMessage(request);
  return { class: 'success', method, transactionId, attributes };
}

function success(request: Uint8Array, more: readonly EncodableAttribute[] = []): Uint8Array {
  return encodeMessage(
    response(request, [{ type: 'xor-mapped-address', endpoint: mapped satisfies Endpoint }, ...more]),
  );
}

function withUnknownAttribute(message: Uint8Array): Uint8Array {
  return Uint8Array.of(...message, 0x7f, 0xff, 0, 0).with(3, message[3]! + 4);
}
