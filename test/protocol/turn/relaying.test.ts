import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { attribute, decodeMessage, type EncodableAttribute, encodeMessage } from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  CHANNEL_BIND,
  CREATE_PERMISSION,
  createTurnServer,
  DATA,
  decodeChannelData,
  encodeChannelData,
  SEND,
  type TurnServer,
  type TurnServerAction,
  type TurnServerOptions,
} from '../../../src/protocol/turn/index.ts';
import { bytesOf, PEER, serverOptions } from './bench.ts';
import { outcome, RawClient, UDP } from './raw-client.ts';

const OTHER = endpoint('198.51.100.8', 5000);
const peerAddress = (peer: Endpoint): EncodableAttribute => ({ type: 'xor-peer-address', endpoint: peer });
const onChannel = (channel: number, peer: Endpoint): EncodableAttribute[] => [
  { type: 'channel-number', channel },
  peerAddress(peer),
];

/** A client with an allocation. */
function allocated(options: Partial<TurnServerOptions> = {}, transport: 'udp' | 'tcp' = 'udp') {
  const turn = createTurnServer(serverOptions(options));
  const client = new RawClient(turn, { transport });
  const relayed = attribute(client.allocate([{ type: 'lifetime', value: 3600 }])!, 'xor-relayed-address')!.endpoint;
  return { turn, client, relayed };
}

/** What the peer gets of a Send indication. */
function send(
  client: RawClient,
  peer: Endpoint,
  text: string,
  now = 0,
  more: readonly EncodableAttribute[] = [],
): string[] {
  const attributes = [peerAddress(peer), { type: 'data', value: bytesOf(text) } as const, ...more];
  client.deliver(
    encodeMessage({ class: 'indication', method: SEND, transactionId: new Uint8Array(12), attributes }),
    now,
  );
  return relayedBy(client.actions);
}

/** What the peer gets of ChannelData. */
function sendOn(client: RawClient, channel: number, text: string, now = 0): string[] {
  client.deliver(encodeChannelData({ channel, data: bytesOf(text) }), now);
  return relayedBy(client.actions);
}

function relayedBy(actions: readonly TurnServerAction[]): string[] {
  return actions.map((action) => {
    if (action.type !== 'relay') return action.type;
    return `${formatEndpoint(action.to)} ${Buffer.from(action.data)}`;
  });
}

/** What the client gets of a peer's datagram. */
function fromPeer(turn: TurnServer, relayed: Endpoint, peer: Endpoint, text: string, now = 0): string[] {
  return turn.receiveFromPeer(bytesOf(text), peer, relayed, now).map((action) => {
    if (action.type !== 'send') return action.type;
    if (action.bytes[0]! >= 0x40) {
      const { channel, data } = decodeChannelData(action.bytes);
      return `0x${channel.toString(16)} ${Buffer.from(data)}`;
    }
    const message = decodeMessage(action.bytes);
    expect([message.class, message.method]).toEqual(['indication', DATA]);
    const { endpoint: from } = attribute(message, 'xor-peer-address')!;
    return `${formatEndpoint(from)} ${Buffer.from(attribute(message, 'data')!.value)}`;
  });
}

describe('permissions (RFC 8656 sections 9 and 10)', () => {
  it('let data of an address in and out, whatever the port', () => {
    const { turn, client, relayed } = allocated();
    expect(fromPeer(turn, relayed, PEER, 'early')).toEqual([]);
    expect(send(client, PEER, 'early')).toEqual([]);
    expect(outcome(client.ask(CREATE_PERMISSION, [peerAddress(endpoint(PEER.address, 0))]))).toBe('success');
    expect(fromPeer(turn, relayed, PEER, 'in')).toEqual([`${formatEndpoint(PEER)} in`]);
    expect(fromPeer(turn, relayed, endpoint(PEER.address, 6), '')).toEqual([`${PEER.address}:6 `]);
    expect(send(client, endpoint(PEER.address, 7), 'out')).toEqual([`${PEER.address}:7 out`]);
    expect(fromPeer(turn, relayed, OTHER, 'other')).toEqual([]);
    expect(send(client, OTHER, 'other')).toEqual([]);
    expect(turn.counters.dropped).toMatchObject({ unpermitted: 4 });
    expect(turn.counters).toMatchObject({ relayedDatagrams: 3, relayedBytes: 5 });
  });

  it('end after 5 minutes, whatever data flows, unless they are refreshed', () => {
    const { turn, client, relayed } = allocated();
    client.ask(CREATE_PERMISSION, [peerAddress(PEER), peerAddress(OTHER)]);
    client.ask(CREATE_PERMISSION, [peerAddress(OTHER)], 200_000);
    expect(send(client, PEER, 'x', 299_999)).toHaveLength(1);
    expect(fromPeer(turn, relayed, PEER, 'x', 299_999)).toHaveLength(1);
    expect(send(client, PEER, 'x', 300_000)).toEqual([]);
    expect(fromPeer(turn, relayed, PEER, 'x', 300_000)).toEqual([]);
    expect(send(client, OTHER, 'x', 499_999)).toHaveLength(1);
    expect(send(client, OTHER, 'x', 500_000)).toEqual([]);
  });

  it('are installed all, or none', () => {
    const { client } = allocated();
    const six = endpoint('2001:db8::1', 1);
    expect(outcome(client.ask(CREATE_PERMISSION, []))).toBe(400);
    expect(outcome(client.ask(CREATE_PERMISSION, [peerAddress(PEER), peerAddress(six)]))).toBe(443);
    expect(outcome(client.ask(CREATE_PERMISSION, [peerAddress(PEER), peerAddress(endpoint('127.0.0.1', 1))]))).toBe(
      403,
    );
    expect(send(client, PEER, 'x')).toEqual([]);
  });

  it('of one allocation are not those of another', () => {
    const { turn, client } = allocated();
    client.ask(CREATE_PERMISSION, [peerAddress(PEER)]);
    const other = new RawClient(turn, { port: 2 });
    const { endpoint: relayed } = attribute(other.allocate()!, 'xor-relayed-address')!;
    expect(fromPeer(turn, relayed, PEER, 'x')).toEqual([]);
    expect(send(other, PEER, 'x')).toEqual([]);
  });

  it('are bounded; those that ended make room', () => {
    const { turn, client } = allocated({ limits: { permissionsPerAllocation: 2 } });
    const permit = (now: number, ...hosts: number[]) =>
      outcome(
        client.ask(
          CREATE_PERMISSION,
          hosts.map((host) => peerAddress(endpoint(`198.51.100.${host}`, 1))),
          now,
        ),
      );
    expect(permit(0, 1, 2, 3)).toBe(508);
    expect(permit(0, 1, 2, 2)).toBe('success');
    expect(permit(1_000, 3)).toBe(508);
    expect(permit(1_000, 2)).toBe('success');
    expect(outcome(client.ask(CHANNEL_BIND, onChannel(0x4000, endpoint('198.51.100.3', 1)), 2_000))).toBe(508);
    expect(permit(300_000, 3)).toBe('success');
    expect(permit(300_000, 4)).toBe(508);
    expect(turn.counters.refused).toEqual({ 401: 1, 508: 4 });
  });
});

describe('Send indications (RFC 8656 section 11.2)', () => {
  it('that lack something, or ask for the DF bit, are dropped', () => {
    const { turn, client } = allocated();
    client.ask(CREATE_PERMISSION, [peerAddress(PEER)]);
    const transactionId = new Uint8Array(12);
    const indicate = (attributes: readonly EncodableAttribute[]) =>
      client.deliver(encodeMessage({ class: 'indication', method: SEND, transactionId, attributes }));
    indicate([peerAddress(PEER)]);
    indicate([{ type: 'data', value: bytesOf('x') }]);
    expect(send(client, PEER, 'x', 0, [{ type: 'dont-fragment' }])).toEqual([]);
    expect(turn.counters.dropped).toMatchObject({ malformed: 3 });
    expect(send(client, endpoint(PEER.address, 0), 'x')).toEqual([]);
    expect(send(new RawClient(turn, { port: 9 }), PEER, 'x')).toEqual([]);
    expect(turn.counters.dropped).toMatchObject({ unbound: 2 });
    expect(send(client, PEER, '')).toEqual([`${formatEndpoint(PEER)} `]);
  });
});

describe('channels (RFC 8656 section 12)', () => {
  it('carry data both ways, and let the peer in', () => {
    const { turn, client, relayed } = allocated();
    expect(outcome(client.ask(CHANNEL_BIND, onChannel(0x4abc, PEER)))).toBe('success');
    expect(sendOn(client, 0x4abc, 'out')).toEqual([`${formatEndpoint(PEER)} out`]);
    expect(sendOn(client, 0x4abc, '')).toEqual([`${formatEndpoint(PEER)} `]);
    expect(fromPeer(turn, relayed, PEER, 'in')).toEqual(['0x4abc in']);
    expect(fromPeer(turn, relayed, endpoint(PEER.address, 6), 'in')).toEqual([`${PEER.address}:6 in`]);
    expect(send(client, PEER, 'out')).toEqual([`${formatEndpoint(PEER)} out`]);
    expect(sendOn(client, 0x4abd, 'x')).toEqual([]);
    expect(sendOn(new RawClient(turn, { port: 9 }), 0x4abc, 'x')).toEqual([]);
    expect(turn.counters.dropped).toMatchObject({ unbound: 2 });
  });

  it('are padded on streams', () => {
    const { turn, client, relayed } = allocated({}, 'tcp');
    client.ask(CHANNEL_BIND, onChannel(0x4000, PEER));
    const [action] = turn.receiveFromPeer(bytesOf('hello'), PEER, relayed, 0);
    expect(action).toMatchObject({ type: 'send', bytes: { length: 4 + 8 } });
    expect(fromPeer(turn, relayed, PEER, 'hello')).toEqual(['0x4000 hello']);
  });

  it.each<[string, EncodableAttribute[]]>([
    ['no number', [peerAddress(PEER)]],
    ['no peer', [{ type: 'channel-number', channel: 0x4000 }]],
    ['a number below the range', onChannel(0x3fff, PEER)],
    ['a number of RFC 5766', onChannel(0x5000, PEER)],
    ['no port', onChannel(0x4000, endpoint(PEER.address, 0))],
  ])('with %s are refused', (_name, attributes) => {
    expect(outcome(allocated().client.ask(CHANNEL_BIND, attributes))).toBe(400);
  });

  it('are one a peer, and one peer each', () => {
    const { client } = allocated();
    const bind = (channel: number, peer: Endpoint) => outcome(client.ask(CHANNEL_BIND, onChannel(channel, peer)));
    expect(bind(0x4000, PEER)).toBe('success');
    expect(bind(0x4000, PEER)).toBe('success');
    expect(bind(0x4000, OTHER)).toBe(400);
    expect(bind(0x4001, PEER)).toBe(400);
    expect(bind(0x4001, endpoint(PEER.address, 6))).toBe('success');
    expect(bind(0x4002, endpoint('2001:db8::1', 1))).toBe(443);
    expect(bind(0x4002, endpoint('10.0.0.1', 1))).toBe(403);
  });

  it('end after 10 minutes, their permission after 5, and can be bound anew then', () => {
    const { turn, client, relayed } = allocated();
    const bind = (channel: number, peer: Endpoint, now: number) =>
      outcome(client.ask(CHANNEL_BIND, onChannel(channel, peer), now));
    bind(0x4000, PEER, 0);
    expect(fromPeer(turn, relayed, PEER, 'x', 299_999)).toEqual(['0x4000 x']);
    expect(fromPeer(turn, relayed, PEER, 'x', 300_000)).toEqual([]);
    client.ask(CREATE_PERMISSION, [peerAddress(PEER)], 599_000);
    expect(fromPeer(turn, relayed, PEER, 'x', 599_999)).toEqual(['0x4000 x']);
    expect(sendOn(client, 0x4000, 'x', 599_999)).toHaveLength(1);
    expect(sendOn(client, 0x4000, 'x', 600_000)).toEqual([]);
    expect(fromPeer(turn, relayed, PEER, 'x', 600_000)).toEqual([`${formatEndpoint(PEER)} x`]);
    expect(bind(0x4000, OTHER, 600_000)).toBe('success');
    expect(bind(0x4001, PEER, 600_000)).toBe('success');
    expect(bind(0x4001, PEER, 1_199_999)).toBe('success');
    expect(sendOn(client, 0x4001, 'x', 1_799_998)).toHaveLength(1);
  });

  it('are bounded; those that ended make room', () => {
    const { client } = allocated({ limits: { channelsPerAllocation: 2 } });
    const bind = (channel: number, now: number) =>
      outcome(client.ask(CHANNEL_BIND, onChannel(channel, endpoint('198.51.100.1', channel)), now));
    expect([bind(0x4000, 0), bind(0x4001, 1_000), bind(0x4002, 2_000)]).toEqual(['success', 'success', 508]);
    expect([bind(0x4003, 600_000), bind(0x4004, 600_000)]).toEqual(['success', 508]);
  });
});

describe('whom a server relays to', () => {
  const REFUSED = [
    '127.0.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ];
  const REFUSED_IPV6 = ['::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::127.0.0.1', 'fec0::1'];
  const permit = (client: RawClient, address: string) =>
    outcome(client.ask(CREATE_PERMISSION, [peerAddress(endpoint(address, 1))]));

  it.each(REFUSED)('not to %s, unless it is told to', (address) => {
    expect(permit(allocated().client, address)).toBe(403);
  });

  it.each(REFUSED_IPV6)('not to %s over IPv6', (address) => {
    const turn = createTurnServer(serverOptions({ relayAddresses: ['2001:db8::1'] }));
    const client = new RawClient(turn);
    client.allocate([{ type: 'requested-address-family', family: 6 }]);
    expect(permit(client, address)).toBe(403);
    expect(permit(client, '2001:db8::2')).toBe('success');
  });

  it('and an IPv4-mapped IPv6 address is of IPv4', () => {
    const { client } = allocated();
    expect(permit(client, '::ffff:127.0.0.1')).toBe(403);
    expect(permit(client, '::ffff:198.51.100.1')).toBe('success');
  });

  it('to other kinds of addresses, where it is allowed', () => {
    const { client } = allocated({ allowedPeers: ['private', 'carrier'] });
    expect(['10.0.0.1', '100.64.0.1', '127.0.0.1', '169.254.0.1', '224.0.0.1'].map((at) => permit(client, at))).toEqual(
      ['success', 'success', 403, 403, 403],
    );
  });
});

describe('what a server lets clients have', () => {
  it('is bounded by user, by source and in all', () => {
    const limits = { allocations: 5, allocationsPerUser: 3, allocationsPerSource: 2 };
    const turn = createTurnServer(serverOptions({ limits, users: { a: 'x', b: 'x', c: 'x' } }));
    const allocate = (username: string, host: number, port: number) =>
      outcome(
        new RawClient(turn, { address: `192.0.2.${host}`, port, credentials: { username, password: 'x' } }).allocate(),
      );
    expect([allocate('a', 1, 1), allocate('a', 1, 2), allocate('a', 1, 3)]).toEqual(['success', 'success', 486]);
    expect([allocate('a', 2, 1), allocate('a', 3, 1)]).toEqual(['success', 486]);
    expect([allocate('b', 1, 4), allocate('b', 3, 2), allocate('b', 3, 3)]).toEqual([486, 'success', 'success']);
    expect(allocate('c', 4, 1)).toBe(508);
    turn.expire(600_000);
    expect(turn.counters.allocations).toBe(0);
    expect(allocate('a', 1, 1)).toBe('success');
  });

  it('is a rate of requests by network, and what is over it gets no answer', () => {
    const turn = createTurnServer(serverOptions({ limits: { requests: { rate: 10, burst: 4, capacity: 10 } } }));
    const clients = [1, 2, 3].map((host) => new RawClient(turn, { address: `192.0.2.${host}` }));
    expect(clients.map((client) => outcome(client.allocate()))).toEqual(['success', 'success', 'nothing']);
    expect(outcome(new RawClient(turn, { address: '198.51.100.1' }).allocate())).toBe('success');
    expect(turn.counters.dropped.rate).toBe(1);
    expect(outcome(clients[2]!.allocate([], 1_000))).toBe('success');
  });

  it('is a rate of data, both ways together', () => {
    const { turn, client, relayed } = allocated({ limits: { relay: { rate: 1_000, burst: 1_500 } } });
    client.ask(CREATE_PERMISSION, [peerAddress(PEER)]);
    const kilobyte = 'x'.repeat(1_000);
    expect(send(client, PEER, kilobyte)).toHaveLength(1);
    expect(fromPeer(turn, relayed, PEER, kilobyte)).toEqual([]);
    expect(turn.counters.dropped.bandwidth).toBe(1);
    expect(fromPeer(turn, relayed, PEER, kilobyte, 500)).toHaveLength(1);
  });

  it('is what fits a datagram', () => {
    const { turn, client, relayed } = allocated();
    client.ask(CREATE_PERMISSION, [peerAddress(PEER)]);
    const [largest] = turn.receiveFromPeer(new Uint8Array(65_456), PEER, relayed, 0);
    expect(largest).toMatchObject({ type: 'send' });
    if (largest?.type === 'send') expect(largest.bytes.length).toBeLessThanOrEqual(65_507);
    expect(turn.receiveFromPeer(new Uint8Array(65_457), PEER, relayed, 0)).toEqual([]);
    expect(turn.counters.dropped.bandwidth).toBe(1);
  });

  it('to who has no credentials, is less than three times what was sent, headers of IP and UDP included', () => {
    const turn = createTurnServer(serverOptions());
    const factor = (method: number, attributes: readonly EncodableAttribute[]) => {
      const client = new RawClient(turn);
      const challenge = client.askOnce(method, attributes)!;
      return (28 + challenge.raw.length) / (28 + client.sent.length);
    };
    expect(factor(ALLOCATE, [UDP])).toBeLessThan(2.5);
    expect(factor(CREATE_PERMISSION, [])).toBeLessThan(3);
  });
});
