import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint, parseEndpoint } from '../../../src/core/endpoint.ts';
import { attribute, type EncodableAttribute, encodeMessage } from '../../../src/protocol/stun/index.ts';
import { REFRESH, type TurnClientOptions } from '../../../src/protocol/turn/index.ts';
import { PEER, SERVER, TurnBench } from './bench.ts';
import { CHALLENGE, failed, GRANTED, LoneClient } from './lone-client.ts';

describe('what a server refuses', () => {
  it.each([
    [400, 'Bad Request'],
    [437, 'Allocation Mismatch'],
    [486, 'Allocation Quota Reached'],
    [508, 'Insufficient Capacity'],
    [599, 'anything'],
  ])('%i to an Allocate request ends it', (code, reason) => {
    const alone = new LoneClient();
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
    const alone = new LoneClient({ family: 6 });
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
    ...['198.51.100.1:0', '127.0.0.1:5000', '0.0.0.0:5000', '224.0.0.1:5000', '255.255.255.255:5000'].flatMap(
      (text): [string, EncodableAttribute[]][] => {
        const at = parseEndpoint(text)!;
        const [relayed, ...others] = GRANTED;
        const mapped = { type: 'xor-mapped-address', endpoint: at } as const;
        return [
          [`the relayed address ${text}`, [{ type: 'xor-relayed-address', endpoint: at }, ...others]],
          [`the mapped address ${text}`, [relayed!, mapped, others[1]!]],
        ];
      },
    ),
  ])('success with %s is none', (_name, attributes) => {
    const alone = new LoneClient();
    alone.allocate(attributes);
    expect(alone.until(10_000).at(-1)?.[1]).toEqual({ type: 'event', event: failed({ kind: 'malformed' })[0] });
  });
});

describe('300 Try Alternate', () => {
  const begun = (options: Partial<TurnClientOptions> = {}): LoneClient => {
    const alone = new LoneClient(options);
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
    const alone = new LoneClient();
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
    const alone = new LoneClient();
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    const request = alone.request();
    alone.answer(request, 437, [], {});
    alone.answer(request, 'success', GRANTED);
    expect(alone.events).toMatchObject([{ type: 'allocated' }]);
  });

  it('end a stream', () => {
    const alone = new LoneClient({ transport: 'tcp' });
    alone.client.handle({ type: 'allocate' }, 0);
    alone.answer(alone.request(), 401, CHALLENGE, {});
    alone.answer(alone.request(), 'success', GRANTED, {});
    expect(alone.events).toEqual(failed({ kind: 'integrity-violated' }));
  });
});
