import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  BINDING,
  createStunServer,
  decodeMessage,
  type EncodableAttribute,
  type EncodeOptions,
  encodeMessage,
  type StunClass,
  type StunServer,
} from '../../../src/protocol/stun/index.ts';
import { SAMPLE_REQUEST } from '../../vectors/stun.ts';
import { anyMessage } from './arbitraries.ts';

const client = endpoint('203.0.113.7', 40000);
const client6 = endpoint('2001:db8::7', 40000);
const primary = endpoint('198.51.100.1', 3478);
const alternate = endpoint('198.51.100.2', 3479);
const primary6 = endpoint('2001:db8:1::1', 3478);
const alternate6 = endpoint('2001:db8:1::2', 3479);
const transactionId = Uint8Array.from({ length: 12 }, (_, i) => i);

describe('a server with one address', () => {
  it.each([
    ['IPv4', client, primary, 32],
    ['IPv6', client6, primary6, 44],
  ])('tells an %s client its address, from where it was asked', (_name, from, receivedOn, length) => {
    const { answer, counters } = setUp(createStunServer());
    const { reply, message, ...rest } = answer(request(), { from, receivedOn })!;
    expect(rest).toEqual({ from: receivedOn, to: from });
    expect(message).toMatchObject({ class: 'success', method: BINDING, transactionId });
    expect(message.attributes).toEqual([{ type: 'xor-mapped-address', endpoint: from }]);
    expect(reply).toHaveLength(length);
    expect(counters).toMatchObject({ answered: 1, bytesIn: 20, bytesOut: length });
  });

  it('answers a request that carries credentials as one without', () => {
    const { answer } = setUp(createStunServer());
    expect(answer(SAMPLE_REQUEST)?.message.class).toBe('success');
  });

  it.each<[string, StunClass, number]>([
    ['a success response', 'success', BINDING],
    ['an error response', 'error', BINDING],
    ['an indication', 'indication', BINDING],
    ['a TURN Allocate request', 'request', 0x003],
  ])('does not answer %s', (_name, stunClass, method) => {
    const { answer, counters } = setUp(createStunServer());
    expect(answer(encodeMessage({ class: stunClass, method, transactionId, attributes: [] }))).toBeUndefined();
    expect(counters).toMatchObject({ answered: 0, ignored: 1 });
  });

  it('does not answer what is not sound, nor a source without a port', () => {
    const { answer, counters } = setUp(createStunServer());
    expect(answer(request().subarray(0, 19))).toBeUndefined();
    expect(answer(SAMPLE_REQUEST.with(30, 0))).toBeUndefined();
    expect(answer(request(), { from: { ...client, port: 0 } })).toBeUndefined();
    expect(counters).toMatchObject({ answered: 0, ignored: 2, malformed: 1, bytesOut: 0 });
  });

  it.each<[string, number]>([
    ['RESPONSE-PORT', 0x0027],
    ['PADDING', 0x0026],
  ])('refuses %s as an unknown attribute', (_name, code) => {
    const { answer, counters } = setUp(createStunServer());
    const asked = withAttribute(request(), code, [0x1f, 0x90, 0, 0]);
    const { message, to } = answer(asked)!;
    expect(to).toEqual(client);
    expect(attribute(message, 'error-code')?.code).toBe(420);
    expect(attribute(message, 'unknown-attributes')?.types).toEqual([code]);
    expect(counters).toMatchObject({ answered: 0, refused: 1 });
  });

  it('refuses CHANGE-REQUEST as an unknown attribute', () => {
    const { answer } = setUp(createStunServer());
    const { message, from } = answer(request([changeRequest(true, true)]))!;
    expect(from).toEqual(primary);
    expect(attribute(message, 'unknown-attributes')?.types).toEqual([0x0003]);
  });
});

describe('a server with two addresses', () => {
  const p1a2 = endpoint(primary.address, alternate.port);
  const p2a1 = endpoint(alternate.address, primary.port);

  it.each([
    [primary, alternate],
    [p1a2, p2a1],
    [p2a1, p1a2],
    [alternate, primary],
  ])('at $address:$port names the endpoint that differs in both', (receivedOn, other) => {
    const { answer } = setUp(createStunServer({ addresses: { primary, alternate } }));
    const { message, from } = answer(request(), { receivedOn })!;
    expect(from).toEqual(receivedOn);
    expect(attribute(message, 'other-address')?.endpoint).toEqual(other);
    expect(attribute(message, 'response-origin')?.endpoint).toEqual(receivedOn);
  });

  it.each<[boolean, boolean, Endpoint]>([
    [false, false, primary],
    [true, false, p2a1],
    [false, true, p1a2],
    [true, true, alternate],
  ])('asked to change IP %s and port %s answers from there', (changeIp, changePort, origin) => {
    const { answer } = setUp(createStunServer({ addresses: { primary, alternate } }));
    const { message, from, to } = answer(request([changeRequest(changeIp, changePort)]))!;
    expect(from).toEqual(origin);
    expect(to).toEqual(client);
    expect(attribute(message, 'response-origin')?.endpoint).toEqual(origin);
    expect(attribute(message, 'other-address')?.endpoint).toEqual(alternate);
  });

  it.each([
    ['one address', endpoint('198.51.100.1', 3479)],
    ['one port', endpoint('198.51.100.2', 3478)],
    ['two families', endpoint('2001:db8::1', 3479)],
  ])('cannot be made of %s', (_name, second) => {
    expect(() => createStunServer({ addresses: { primary, alternate: second } })).toThrow(RangeError);
  });
});

describe('as a reflector it is worthless', () => {
  it.each([
    ['IPv4', client, { primary, alternate }],
    ['IPv6', client6, { primary: primary6, alternate: alternate6 }],
  ])('replies over %s with at most twice the request on the wire', (_name, from, addresses) => {
    const headers = from.family === 4 ? 28 : 48;
    fc.assert(
      fc.property(anyMessage, fc.boolean(), fc.uint8Array({ maxLength: 8 }), (message, fingerprint, codes) => {
        const asked = { ...message, class: 'request' as const, method: BINDING };
        const bytes = [...codes].reduce(
          (all, code) => withAttribute(all, 0x7f00 + code, []),
          encodeMessage(asked, { fingerprint: fingerprint && codes.length === 0 }),
        );
        for (const server of [createStunServer({ addresses }), createStunServer()]) {
          const { answer } = setUp(server);
          const { reply } = answer(bytes, { from, receivedOn: addresses.primary })!;
          expect(reply.length + headers).toBeLessThanOrEqual(2 * (bytes.length + headers));
        }
      }),
    );
  });

  it('leaves out RESPONSE-ORIGIN where the reply would be too long, and nothing else', () => {
    const server = createStunServer({ addresses: { primary: primary6, alternate: alternate6 } });
    const { answer } = setUp(server);
    const types = (options?: EncodeOptions) =>
      answer(request([], options), { from: client6, receivedOn: primary6 })?.message.attributes.map(({ type }) => type);
    expect(types()).toEqual(['xor-mapped-address', 'other-address']);
    expect(types({ fingerprint: true })).toEqual(['xor-mapped-address', 'other-address', 'response-origin']);
  });

  it('limits the rate by source network', () => {
    const server = createStunServer({ rate: { rate: 10, burst: 2, capacity: 16 } });
    const { answer, counters } = setUp(server);
    for (let i = 0; i < 5; i++) answer(request(), { from: endpoint(`203.0.113.${i + 1}`, 40000) });
    expect(answer(request(), { from: endpoint('198.51.100.9', 40000) })).toBeDefined();
    expect(counters).toMatchObject({ answered: 3, rateLimited: 3 });
    expect(answer(request(), { now: 100 })).toBeDefined();
    expect(answer(request(), { now: 100 })).toBeUndefined();
  });

  it('throws on no datagram, and answers nothing but Binding requests', () => {
    const { answer, counters } = setUp(createStunServer({ addresses: { primary, alternate } }));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          anyMessage.map((m) => encodeMessage(m)),
        ),
        (bytes) => {
          const answered = answer(bytes);
          if (answered !== undefined) expect(decodeMessage(bytes)).toMatchObject({ class: 'request', method: BINDING });
        },
      ),
    );
    const { answered, refused, ignored, malformed, rateLimited } = counters;
    expect(answered + refused + ignored + malformed + rateLimited).toBe(100);
  });
});

interface Circumstances {
  readonly from?: Endpoint;
  readonly receivedOn?: Endpoint;
  readonly now?: number;
}

function setUp(server: StunServer) {
  const answer = (data: Uint8Array, { from = client, receivedOn = primary, now = 0 }: Circumstances = {}) => {
    const found = server.handle({ data, from }, receivedOn, now);
    return found && { ...found, message: decodeMessage(found.reply) };
  };
  return { answer, counters: server.counters };
}

function request(attributes: readonly EncodableAttribute[] = [], options?: EncodeOptions): Uint8Array {
  return encodeMessage({ class: 'request', method: BINDING, transactionId, attributes }, options);
}

function changeRequest(changeIp: boolean, changePort: boolean): EncodableAttribute {
  return { type: 'change-request', changeIp, changePort };
}

function withAttribute(message: Uint8Array, code: number, value: readonly number[]): Uint8Array {
  const bytes = Buffer.concat([message, Uint8Array.of(code >> 8, code & 0xff, 0, value.length, ...value)]);
  bytes.writeUInt16BE(bytes.length - 20, 2);
  return bytes;
}
