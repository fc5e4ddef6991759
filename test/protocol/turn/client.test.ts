import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { attribute, decodeMessage, encodeMessage } from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  CHANNEL_BIND,
  CREATE_PERMISSION,
  DATA,
  encodeChannelData,
  REFRESH,
} from '../../../src/protocol/turn/index.ts';
import { bytesOf, PEER, SERVER, TurnBench } from './bench.ts';
import { CHALLENGE, failed, GRANTED, LoneClient } from './lone-client.ts';

const OTHER = endpoint('198.51.100.8', 5000);

/** What requests, in order, asked for. */
const methods = (sent: readonly Uint8Array[]): number[] =>
  sent.filter((bytes) => bytes[0]! < 0x40).map((bytes) => decodeMessage(bytes).method);

describe('requests over UDP', () => {
  it('are sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, and given up at 39500', () => {
    const alone = new LoneClient();
    alone.client.handle({ type: 'allocate' }, 0);
    const seen = alone.until(100_000);
    expect(seen.map(([at]) => at)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 39_500]);
    expect(seen.at(-1)![1]).toEqual({ type: 'event', event: failed({ kind: 'unanswered' })[0] });
    const bytes = seen.slice(0, -1).map(([, output]) => (output.type === 'transmit' ? output.bytes : output.type));
    expect(new Set(bytes.map(String)).size).toBe(1);
  });

  it('carry no credentials before they were asked for, then those that the server wants', () => {
    const alone = new LoneClient({ lifetime: 900 });
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
    const alone = new LoneClient();
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
    const alone = new LoneClient({ transport: 'tcp' });
    alone.client.handle({ type: 'allocate' }, 0);
    expect(alone.until(100_000).map(([at, { type }]) => [at, type])).toEqual([
      [0, 'transmit'],
      [39_500, 'event'],
    ]);
  });

  it('end with the stream', () => {
    const alone = new LoneClient({ transport: 'tcp' });
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
    const alone = new LoneClient();
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
    const alone = new LoneClient();
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
    const alone = new LoneClient();
    alone.allocate();
    alone.client.handle({ type: 'bind', peer: PEER }, 0);
    alone.hear(encodeChannelData({ channel: 0x4000, data: bytesOf('quick') }));
    const outputs = alone.until(0).map(([, output]) => output);
    expect(outputs.find(({ type }) => type === 'data')).toEqual({ type: 'data', peer: PEER, data: bytesOf('quick') });
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

  it('takes 1.5 s where the server is gone, and two requests', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    bench.loses = () => true;
    const { length } = client.sent;
    client.do({ type: 'close' });
    bench.advance(1_499);
    expect(client.events).toHaveLength(1);
    bench.advance(1);
    expect(client.last).toEqual({ type: 'ended' });
    expect(client.sent).toHaveLength(length + 2);
  });

  it('before anything was asked for is at once', () => {
    const bench = new TurnBench();
    const client = bench.client();
    client.do({ type: 'close' });
    expect(client.events).toEqual([{ type: 'ended' }]);
    expect(client.sent).toEqual([]);
  });

  it('while the allocation is asked for, gives up what comes of it', () => {
    const alone = new LoneClient();
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
    const alone = new LoneClient({ transport: 'tcp' });
    alone.allocate();
    alone.client.handle({ type: 'close' }, 0);
    alone.client.handle({ type: 'disconnected' }, 0);
    expect(alone.events.at(-1)).toEqual({ type: 'ended' });
  });
});

it('a request of a client says what RFC 8656 wants of it', () => {
  const alone = new LoneClient({ family: 6 });
  alone.client.handle({ type: 'allocate' }, 0);
  const request = alone.request();
  expect([request.class, request.method]).toEqual(['request', ALLOCATE]);
  expect(request.attributes).toEqual([
    { type: 'requested-transport', protocol: 17 },
    { type: 'requested-address-family', family: 6 },
  ]);
});
