import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  decodeMessage,
  type EncodableAttribute,
  type EncodeOptions,
  encodeMessage,
  longTermKey,
  type StunMessage,
} from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  CHANNEL_BIND,
  CREATE_PERMISSION,
  createTurnClient,
  DATA,
  encodeChannelData,
  REFRESH,
  type TurnClientOptions,
  type TurnClientOutput,
} from '../../../src/protocol/turn/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { ALICE, bytesOf, PEER, SERVER, TurnBench } from './bench.ts';

const OTHER = endpoint('198.51.100.8', 5000);
const RELAYED = endpoint('203.0.113.1', 50_000);
const MAPPED = endpoint('192.0.2.10', 40_000);

/** What requests, in order, asked for. */
const methods = (sent: readonly Uint8Array[]): number[] =>
  sent.filter((bytes) => bytes[0]! < 0x40).map((bytes) => decodeMessage(bytes).method);

/** A client alone, whose server is the test. */
class Alone {
  readonly client;
  now = 0;
  outputs: TurnClientOutput[] = [];
  readonly #key: EncodeOptions = { integrityKey: longTermKey(ALICE.username, 'r', ALICE.password) };

  constructor(options: Partial<TurnClientOptions> = {}) {
    this.client = createTurnClient({ server: SERVER, random: seededRandom(1), ...ALICE, ...options });
  }

  /** Lets time go on, and returns what was put out, each with its time. */
  until(ms: number): [number, TurnClientOutput][] {
    const seen: [number, TurnClientOutput][] = [];
    for (;;) {
      const output = this.client.poll(this.now);
      if (output.type !== 'wait') seen.push([this.now, output]);
      else if (output.until === undefined || output.until > ms) break;
      else this.now = Math.max(this.now, output.until);
    }
    this.now = ms;
    return seen;
  }

  /** What is sent next, and where to. */
  transmission(): { to: Endpoint; message: StunMessage } {
    const [first] = this.until(this.now);
    if (first?.[1].type !== 'transmit') throw new Error(`no request, but ${JSON.stringify(first)}`);
    return { to: first[1].to, message: decodeMessage(first[1].bytes) };
  }

  /** The request that is sent next. */
  request(): StunMessage {
    return this.transmission().message;
  }

  answer(
    { method, transactionId }: StunMessage,
    response: number | 'success',
    attributes: readonly EncodableAttribute[] = [],
    options: EncodeOptions = this.#key,
    from = SERVER,
  ): void {
    const error = { type: 'error-code', code: response as number, reason: '' } as const;
    this.hear(
      encodeMessage(
        response === 'success'
          ? { class: 'success', method, transactionId, attributes }
          : { class: 'error', method, transactionId, attributes: [error, ...attributes] },
        options,
      ),
      from,
    );
  }

  hear(bytes: Uint8Array, from = SERVER): void {
    this.client.handle({ type: 'received', bytes, from }, this.now);
  }

  /** Up to an allocation, with a server of RFC 5389. */
  allocate(attributes: readonly EncodableAttribute[] = GRANTED): void {
    this.client.handle({ type: 'allocate' }, this.now);
    this.answer(this.request(), 401, CHALLENGE, {});
    this.answer(this.request(), 'success', attributes);
  }

  /** Events so far that were not looked at. */
  get events(): unknown[] {
    return this.until(this.now).flatMap(([, output]) => (output.type === 'event' ? [output.event] : []));
  }
}

const CHALLENGE: EncodableAttribute[] = [
  { type: 'realm', value: 'r' },
  { type: 'nonce', value: 'n1' },
];
const GRANTED: EncodableAttribute[] = [
  { type: 'xor-relayed-address', endpoint: RELAYED },
  { type: 'xor-mapped-address', endpoint: MAPPED },
  { type: 'lifetime', value: 600 },
];
const failed = (failure: object) => [{ type: 'failed', failure }];

describe('requests over UDP', () => {
  it('are sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, and given up at 39500', () => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    const seen = alone.until(100_000);
    expect(seen.map(([at]) => at)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 39_500]);
    expect(seen.at(-1)![1]).toEqual({ type: 'event', event: failed({ kind: 'unanswered' })[0] });
    const bytes = seen.slice(0, -1).map(([, output]) => (output.type === 'transmit' ? output.bytes : output.type));
    expect(new Set(bytes.map(String)).size).toBe(1);
  });

  it('carry no credentials before they were asked for, then those that the server wants', () => {
    const alone = new Alone({ lifetime: 900 });
    alone.client.handle({ type: 'allocate' }, 0);
    const first = alone.request();
    expect(first.attributes.map(({ type }) => type)).toEqual(['requested-transport', 'lifetime']);
    alone.answer(first, 401, CHALLENGE, {});
    const second = alone.request();
    expect(second.transactionId).not.toEqual(first.transactionId);
    expect(second.attributes.map(({ type }) => type)).toEqual([
      'requested-transport',
      'lifetime',
      'username',
      'realm',
      'nonce',
      'message-integrity',
    ]);
  });

  it('that were answered are not sent again, and later answers are nobody’s', () => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    const request = alone.request();
    alone.answer(request, 401, CHALLENGE, {});
    alone.answer(request, 401, CHALLENGE, {});
    expect(alone.client.dropped.unmatched).toBe(1);
    alone.answer(alone.request(), 'success', GRANTED);
    expect(alone.until(14_999).map(([, { type }]) => type)).toEqual(['event']);
  });

  it('wait with the next step until there is an answer, however many were lost', () => {
    const bench = new TurnBench();
    let lost = 0;
    bench.loses = () => lost++ % 5 < 3;
    const client = bench.allocated();
    bench.advance(60_000);
    client.do({ type: 'bind', peer: PEER });
    bench.advance(60_000);
    expect(client.events.map(({ type }) => type)).toEqual(['allocated', 'permitted']);
    expect(bench.server.counters.allocations).toBe(1);
  });
});

describe('requests over a stream', () => {
  it('are sent once, and given up after as long', () => {
    const alone = new Alone({ transport: 'tcp' });
    alone.client.handle({ type: 'allocate' }, 0);
    expect(alone.until(100_000).map(([at, { type }]) => [at, type])).toEqual([
      [0, 'transmit'],
      [39_500, 'event'],
    ]);
  });

  it('end with the stream', () => {
    const alone = new Alone({ transport: 'tcp' });
    alone.allocate();
    alone.client.handle({ type: 'disconnected' }, 0);
    expect(alone.events.slice(1)).toEqual(failed({ kind: 'disconnected' }));
    expect(alone.client.poll(0)).toEqual({ type: 'wait', until: undefined });
  });
});

describe('what a client keeps', () => {
  it('its allocation, by a Refresh at three quarters of the lifetime that was granted', () => {
    const bench = new TurnBench({ limits: { maxLifetime: 1_200, nonceLifetime: 3_600_000 } });
    const client = bench.allocated({ lifetime: 10_000, keepalive: 1e9 });
    expect(client.last).toMatchObject({ lifetime: 1_200 });
    const { length } = client.sent;
    bench.advance(899_999);
    expect(client.sent).toHaveLength(length);
    bench.advance(1);
    expect(methods(client.sent).slice(length)).toEqual([REFRESH]);
    bench.advance(10 * 3_600_000);
    expect(client.events).toHaveLength(1);
    expect(bench.server.counters.allocations).toBe(1);
  });

  it('permissions and channels, every 4 minutes', () => {
    const bench = new TurnBench();
    const client = bench.allocated({ lifetime: 3_600, keepalive: 1e9 });
    client.do({ type: 'permit', peer: PEER }, { type: 'bind', peer: OTHER });
    const { length } = client.sent;
    bench.advance(239_999);
    expect(client.sent).toHaveLength(length);
    bench.advance(1);
    expect(methods(client.sent).slice(length)).toEqual([CREATE_PERMISSION, CHANNEL_BIND]);
    bench.advance(20 * 60_000);
    client.send('to a permission');
    client.send('to a channel', OTHER);
    bench.fromPeer('back', client.relayed);
    bench.fromPeer('back', client.relayed, OTHER);
    expect(bench.relayed.map(({ text }) => text)).toEqual(['to a permission', 'to a channel']);
    expect(client.received).toHaveLength(2);
    expect(client.events.map(({ type }) => type)).toEqual(['allocated', 'permitted', 'permitted']);
  });

  it('the way through NATs, by an indication after 15 s of silence', () => {
    const alone = new Alone();
    alone.allocate([...GRANTED.slice(0, 2), { type: 'lifetime', value: 3_600 }]);
    const seen = alone.until(50_000).filter(([, { type }]) => type === 'transmit');
    expect(seen.map(([at]) => at)).toEqual([15_000, 30_000, 45_000]);
    const [, first] = seen[0]!;
    expect(decodeMessage((first as { bytes: Uint8Array }).bytes)).toMatchObject({ class: 'indication', method: 0x001 });
  });

  it('nothing of a peer that is forgotten; a channel of it gets its number again', () => {
    const bench = new TurnBench();
    const client = bench.allocated({ lifetime: 3_600, keepalive: 1e9 });
    const channels = () =>
      client.sent.flatMap((bytes) =>
        bytes[0]! < 0x40 ? [attribute(decodeMessage(bytes), 'channel-number')?.channel] : [],
      );
    client.do({ type: 'bind', peer: PEER }, { type: 'permit', peer: PEER }, { type: 'forget', peer: PEER });
    const { length } = client.sent;
    bench.advance(300_000);
    expect(client.sent).toHaveLength(length);
    client.send('too late');
    expect(client.engine.dropped.unpermitted).toBe(1);
    bench.advance(400_000);
    client.do({ type: 'bind', peer: OTHER }, { type: 'bind', peer: PEER });
    expect(channels().filter((channel) => channel !== undefined)).toEqual([0x4000, 0x4001, 0x4000]);
    expect(client.last).toEqual({ type: 'permitted', peer: PEER });
  });
});

describe('data', () => {
  it('goes by the channel once that is confirmed, else in a Send indication', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    client.send('no permission');
    client.do({ type: 'permit', peer: PEER });
    client.send('by indication');
    client.do({ type: 'bind', peer: PEER });
    client.send('by channel');
    client.send('to the same address', endpoint(PEER.address, 6));
    expect(client.sent.slice(-4).map((bytes) => bytes[0]! >= 0x40)).toEqual([false, false, true, false]);
    expect(bench.relayed.map(({ text }) => text)).toEqual(['by indication', 'by channel', 'to the same address']);
    expect(client.engine.dropped.unpermitted).toBe(1);
    client.do({ type: 'send', peer: PEER, data: new Uint8Array(65_457) });
    expect(client.engine.dropped['too-long']).toBe(1);
  });

  it('of peers without permission is dropped, and so is what comes from elsewhere', () => {
    const alone = new Alone();
    alone.allocate();
    const indication = (peer = PEER): Uint8Array =>
      encodeMessage({
        class: 'indication',
        method: DATA,
        transactionId: new Uint8Array(12),
        attributes: [
          { type: 'xor-peer-address', endpoint: peer },
          { type: 'data', value: bytesOf('x') },
        ],
      });
    alone.hear(indication());
    expect(alone.client.dropped.unpermitted).toBe(1);
    alone.client.handle({ type: 'permit', peer: PEER }, 0);
    alone.until(0);
    alone.hear(indication(), endpoint(SERVER.address, SERVER.port + 1));
    alone.hear(indication(OTHER));
    alone.hear(encodeChannelData({ channel: 0x4000, data: bytesOf('x') }));
    alone.hear(bytesOf('something else'));
    alone.hear(Uint8Array.of(0x40, 0, 0, 9, 1));
    expect(alone.client.dropped).toEqual({
      foreign: 1,
      malformed: 2,
      unmatched: 1,
      unauthenticated: 0,
      unpermitted: 2,
      'too-long': 0,
    });
    expect(alone.until(0)).toEqual([]);
  });

  it('on a channel is taken before the binding is confirmed, which it may overtake', () => {
    const alone = new Alone();
    alone.allocate();
    alone.client.handle({ type: 'bind', peer: PEER }, 0);
    alone.hear(encodeChannelData({ channel: 0x4000, data: bytesOf('quick') }));
    const outputs = alone.until(0).map(([, output]) => output);
    expect(outputs.find(({ type }) => type === 'data')).toEqual({ type: 'data', peer: PEER, data: bytesOf('quick') });
  });
});

describe('what a server refuses', () => {
  it.each([
    [400, 'Bad Request'],
    [437, 'Allocation Mismatch'],
    [486, 'Allocation Quota Reached'],
    [508, 'Insufficient Capacity'],
    [599, 'anything'],
  ])('%i to an Allocate request ends it', (code, reason) => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    const { method, transactionId } = alone.request();
    const attributes: EncodableAttribute[] = [{ type: 'error-code', code, reason }];
    alone.hear(encodeMessage({ class: 'error', method, transactionId, attributes }));
    expect(alone.events).toEqual(failed({ kind: 'refused', code, reason }));
  });

  it('403 to a peer concerns that peer alone', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    const forbidden = endpoint('10.0.0.1', 1);
    client.do({ type: 'permit', peer: forbidden }, { type: 'bind', peer: forbidden }, { type: 'permit', peer: PEER });
    expect(client.events.slice(1)).toEqual([
      { type: 'refused', peer: forbidden, code: 403, reason: 'Forbidden' },
      { type: 'refused', peer: forbidden, code: 403, reason: 'Forbidden' },
      { type: 'permitted', peer: PEER },
    ]);
    const { length } = client.sent;
    bench.advance(10_000);
    expect(client.sent).toHaveLength(length);
  });

  it('437 after a restart of the server is the end of the allocation', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    bench.restartServer();
    client.do({ type: 'permit', peer: PEER });
    expect(client.events.slice(1)).toMatchObject(failed({ kind: 'refused', code: 437 }));
    // The stale nonce of the server before, and the fresh one.
    expect(bench.server.counters.refused).toEqual({ 437: 1, 438: 1 });
  });

  it('wrong credentials, once', () => {
    const bench = new TurnBench();
    const client = bench.allocated({ password: 'wrong' });
    expect(client.events).toMatchObject(failed({ kind: 'refused', code: 401 }));
    expect(client.sent).toHaveLength(2);
    expect(bench.allocated({ username: 'mallory' }).events).toMatchObject(failed({ kind: 'refused', code: 401 }));
  });

  it('stale nonces get a fresh one, three times at most', () => {
    const bench = new TurnBench({ limits: { nonceLifetime: 60_000 } });
    const client = bench.allocated({ keepalive: 1e9 });
    bench.advance(60_000);
    client.do({ type: 'permit', peer: PEER });
    expect(client.events.map(({ type }) => type)).toEqual(['allocated', 'permitted']);
    expect(bench.server.counters.refused).toEqual({ 401: 1, 438: 1 });
    const stubborn = new TurnBench({ limits: { nonceLifetime: 0 } });
    const refused = stubborn.allocated();
    expect(refused.events).toMatchObject(failed({ kind: 'refused', code: 438 }));
    expect(refused.sent).toHaveLength(4);
  });

  it('over both families: an allocation of the wrong one is given up', () => {
    const alone = new Alone({ family: 6 });
    alone.allocate();
    const release = alone.request();
    expect([release.method, attribute(release, 'lifetime')?.value]).toEqual([REFRESH, 0]);
    alone.answer(release, 'success', [{ type: 'lifetime', value: 0 }]);
    expect(alone.events).toEqual(failed({ kind: 'malformed' }));
  });

  it.each([
    ['no relayed address', GRANTED.slice(1)],
    ['no mapped address', [GRANTED[0]!, GRANTED[2]!]],
    ['no lifetime', GRANTED.slice(0, 2)],
  ])('success with %s is none', (_name, attributes) => {
    const alone = new Alone();
    alone.allocate(attributes);
    expect(alone.until(10_000).at(-1)?.[1]).toEqual({ type: 'event', event: failed({ kind: 'malformed' })[0] });
  });
});

describe('300 Try Alternate', () => {
  const begun = (options: Partial<TurnClientOptions> = {}): Alone => {
    const alone = new Alone(options);
    alone.client.handle({ type: 'allocate' }, 0);
    return alone;
  };
  const towards = (alternate: Endpoint | undefined): EncodableAttribute[] =>
    alternate === undefined ? [] : [{ type: 'alternate-server', endpoint: alternate }];

  it('is followed: to the other server goes a request without credentials', () => {
    const alone = begun();
    const next = endpoint('203.0.113.2', 3478);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    alone.answer(alone.request(), 300, towards(next));
    const { to, message } = alone.transmission();
    expect(to).toEqual(next);
    expect(message.attributes.map(({ type }) => type)).toEqual(['requested-transport']);
    alone.answer(message, 401, CHALLENGE, {});
    expect(alone.client.dropped.foreign).toBe(1);
  });

  it.each([
    ['the server that was asked', SERVER],
    ['nowhere', undefined],
    ['a private address', endpoint('192.168.1.1', 3478)],
    ['loopback', endpoint('127.0.0.1', 3478)],
    ['the other family', endpoint('2001:db8::1', 3478)],
    ['no port', endpoint('203.0.113.2', 0)],
  ])('to %s is not followed', (_name, alternate) => {
    const alone = begun();
    alone.answer(alone.request(), 300, towards(alternate), {});
    expect(alone.events).toEqual(failed({ kind: 'redirected', alternate }));
  });

  it('is followed three times', () => {
    const alone = begun();
    for (const host of [2, 3, 4, 5]) {
      const { to, message } = alone.transmission();
      alone.answer(message, 300, towards(endpoint(`203.0.113.${host}`, 3478)), {}, to);
    }
    expect(alone.events).toEqual(failed({ kind: 'redirected', alternate: endpoint('203.0.113.5', 3478) }));
  });

  it('over a stream is for the owner to follow', () => {
    const alone = begun({ transport: 'tcp' });
    const alternate = endpoint('203.0.113.2', 3478);
    alone.answer(alone.request(), 300, towards(alternate), {});
    expect(alone.events).toEqual(failed({ kind: 'redirected', alternate }));
  });
});

describe('responses that are not signed as they must be', () => {
  it('are as if they had not come; where nothing else comes, that is what failed', () => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    const request = alone.request();
    alone.answer(request, 'success', GRANTED, {});
    alone.answer(request, 'success', GRANTED, { integrityKey: new Uint8Array(16) });
    alone.answer(request, 508, [], {});
    expect(alone.client.dropped.unauthenticated).toBe(3);
    expect(alone.until(100_000).at(-1)).toEqual([
      39_500,
      { type: 'event', event: failed({ kind: 'integrity-violated' })[0] },
    ]);
  });

  it('do no harm where a true one follows', () => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    const request = alone.request();
    alone.answer(request, 437, [], {});
    alone.answer(request, 'success', GRANTED);
    expect(alone.events).toMatchObject([{ type: 'allocated' }]);
  });

  it('end a stream', () => {
    const alone = new Alone({ transport: 'tcp' });
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    alone.answer(alone.request(), 'success', GRANTED, {});
    expect(alone.events).toEqual(failed({ kind: 'integrity-violated' }));
  });
});

describe('closing', () => {
  it('gives the allocation up', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    client.do({ type: 'permit', peer: PEER }, { type: 'close' });
    expect(client.last).toEqual({ type: 'ended' });
    expect([bench.server.counters.allocations, bench.sockets.size]).toEqual([0, 0]);
    client.do({ type: 'close' }, { type: 'allocate' }, { type: 'permit', peer: OTHER });
    expect(client.events).toHaveLength(3);
    expect(client.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes 3.5 s where the server is gone, and three requests', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    bench.loses = () => true;
    const { length } = client.sent;
    client.do({ type: 'close' });
    bench.advance(3_499);
    expect(client.events).toHaveLength(1);
    bench.advance(1);
    expect(client.last).toEqual({ type: 'ended' });
    expect(client.sent).toHaveLength(length + 3);
  });

  it('before anything was asked for is at once', () => {
    const bench = new TurnBench();
    const client = bench.client();
    client.do({ type: 'close' });
    expect(client.events).toEqual([{ type: 'ended' }]);
    expect(client.sent).toEqual([]);
  });

  it('while the allocation is asked for, gives up what comes of it', () => {
    const alone = new Alone();
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    const request = alone.request();
    alone.client.handle({ type: 'close' }, 0);
    alone.answer(request, 'success', GRANTED);
    const release = alone.request();
    expect([release.method, attribute(release, 'lifetime')?.value]).toEqual([REFRESH, 0]);
    alone.answer(release, 437);
    expect(alone.events).toEqual([{ type: 'ended' }]);
  });

  it('with a stale nonce asks again', () => {
    const bench = new TurnBench({ limits: { nonceLifetime: 60_000 } });
    const client = bench.allocated({ keepalive: 1e9 });
    bench.advance(61_000);
    client.do({ type: 'close' });
    expect(client.last).toEqual({ type: 'ended' });
    expect(bench.server.counters.allocations).toBe(0);
  });

  it('is over with the stream', () => {
    const alone = new Alone({ transport: 'tcp' });
    alone.allocate();
    alone.client.handle({ type: 'close' }, 0);
    alone.client.handle({ type: 'disconnected' }, 0);
    expect(alone.events.at(-1)).toEqual({ type: 'ended' });
  });
});

it('a request of a client says what RFC 8656 wants of it', () => {
  const alone = new Alone({ family: 6 });
  alone.client.handle({ type: 'allocate' }, 0);
  const request = alone.request();
  expect([request.class, request.method]).toEqual(['request', ALLOCATE]);
  expect(request.attributes).toEqual([
    { type: 'requested-transport', protocol: 17 },
    { type: 'requested-address-family', family: 6 },
  ]);
});
