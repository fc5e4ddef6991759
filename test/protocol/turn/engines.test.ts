import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { CHANNEL_BIND, REFRESH } from '../../../src/protocol/turn/index.ts';
import { ALICE, PEER, TurnBench } from './bench.ts';

describe.each(['udp', 'tcp'] as const)('client and server over %s', (transport) => {
  it.each(['permit', 'bind'] as const)('relay data of every length both ways, after %s', (type) => {
    const bench = new TurnBench();
    const client = bench.allocated({ transport });
    client.do({ type, peer: PEER });
    expect(client.events).toMatchObject([
      { type: 'allocated', lifetime: 600, mapped: client.tuple.client },
      { type: 'permitted', peer: PEER },
    ]);
    const texts = ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(1_200)];
    for (const text of texts) {
      client.send(text);
      bench.fromPeer(text, client.relayed);
    }
    const [from, to] = [formatEndpoint(client.relayed), formatEndpoint(PEER)];
    expect(bench.relayed).toEqual(texts.map((text) => ({ from, to, text })));
    expect(client.received).toEqual(texts.map((text) => `${to}: ${text}`));
  });

  it('say neither name nor password on the way', () => {
    const bench = new TurnBench();
    const client = bench.allocated({ transport });
    client.do({ type: 'permit', peer: PEER }, { type: 'close' });
    const sent = Buffer.concat(client.sent).toString('latin1');
    expect(sent).not.toContain(ALICE.username);
    expect(sent).not.toContain(ALICE.password);
  });

  it('keep an allocation and a channel for an hour by 7 Refresh and 14 ChannelBind requests', () => {
    const bench = new TurnBench();
    const client = bench.allocated({ transport, keepalive: 1e9 });
    client.do({ type: 'bind', peer: PEER });
    const { length } = client.sent;
    bench.advance(3_599_000);
    const counts = new Map<number, number>();
    for (const bytes of client.sent.slice(length)) {
      const { method } = decodeMessage(bytes);
      counts.set(method, (counts.get(method) ?? 0) + 1);
    }
    expect(counts).toEqual(
      new Map([
        [CHANNEL_BIND, 14],
        [REFRESH, 7],
      ]),
    );
    expect(client.events).toHaveLength(2);
  });
});

it('many clients at one server do not hear one another', () => {
  const bench = new TurnBench();
  const clients = Array.from({ length: 50 }, () => bench.allocated());
  expect(new Set(clients.map(({ relayed }) => relayed.port)).size).toBe(50);
  for (const [i, client] of clients.entries()) {
    client.do({ type: i % 2 === 0 ? 'permit' : 'bind', peer: endpoint('198.51.100.7', i + 1) });
  }
  for (const [i, client] of clients.entries()) bench.fromPeer(`${i}`, client.relayed, endpoint('198.51.100.7', i + 1));
  expect(clients.map(({ received }) => received)).toEqual(clients.map((_, i) => [`198.51.100.7:${i + 1}: ${i}`]));
});
