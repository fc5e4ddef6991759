import { describe, expect, it } from 'vitest';
import { attribute, BINDING, type EncodableAttribute, verifyIntegrity } from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  createTurnServer,
  DATA,
  REFRESH,
  SEND,
  type TurnServerAction,
} from '../../../src/protocol/turn/index.ts';
import { BOB, PEER, serverOptions, TurnBench } from './bench.ts';
import { outcome, RawClient, UDP } from './raw-client.ts';

const server = (options: Parameters<typeof serverOptions>[0] = {}) => createTurnServer(serverOptions(options));
/** What the client's last request made the server bind. */
function onlyBind({ actions }: RawClient): Extract<TurnServerAction, { type: 'bind' }> {
  const [action, ...others] = actions;
  expect(others).toEqual([]);
  if (action?.type !== 'bind') throw new Error(`nothing was bound, but ${action?.type}`);
  return action;
}

const lifetime = (value: number): EncodableAttribute => ({ type: 'lifetime', value });

describe('an Allocate request (RFC 8656 section 7.2)', () => {
  it('is challenged, then granted with all that the response must have', () => {
    const client = new RawClient(server());
    const challenge = client.askOnce(ALLOCATE, [UDP]);
    expect(outcome(challenge)).toBe(401);
    expect(challenge!.attributes.map(({ type }) => type)).toEqual([
      'error-code',
      'realm',
      'nonce',
      'password-algorithms',
    ]);
    const granted = client.allocate();
    expect(granted!.attributes.map(({ type }) => type)).toEqual([
      'xor-relayed-address',
      'lifetime',
      'xor-mapped-address',
      'message-integrity-sha256',
    ]);
    expect(attribute(granted!, 'xor-mapped-address')?.endpoint).toEqual(client.tuple.client);
    const relayed = attribute(granted!, 'xor-relayed-address')!.endpoint;
    expect(relayed.address).toBe('203.0.113.1');
    expect(relayed.port).toBeGreaterThanOrEqual(49_152);
    expect(client.actions).toEqual([{ type: 'bind', relayed }]);
  });

  it.each<[string, EncodableAttribute[], number]>([
    ['no transport', [], 400],
    ['TCP between server and peer', [{ type: 'requested-transport', protocol: 6 }], 442],
    ['the DF bit', [UDP, { type: 'dont-fragment' }], 420],
    ['IPv6 where there is none', [UDP, { type: 'requested-address-family', family: 6 }], 440],
    [
      'one family and another one too',
      [UDP, { type: 'requested-address-family', family: 4 }, { type: 'additional-address-family', family: 6 }],
      400,
    ],
    ['IPv4 as the other family', [UDP, { type: 'additional-address-family', family: 4 }], 400],
    [
      'a pair of ports in two families',
      [UDP, { type: 'additional-address-family', family: 6 }, { type: 'even-port', reserve: true }],
      400,
    ],
    [
      'a reserved port that is even',
      [UDP, { type: 'reservation-token', value: new Uint8Array(8) }, { type: 'even-port', reserve: false }],
      400,
    ],
    ['a port that nobody reserved', [UDP, { type: 'reservation-token', value: new Uint8Array(8) }], 508],
  ])('for %s is refused', (_name, attributes, code) => {
    const turn = server();
    const client = new RawClient(turn);
    const response = client.ask(ALLOCATE, attributes);
    expect(outcome(response)).toBe(code);
    expect(attribute(response!, 'unknown-attributes')?.types).toEqual(code === 420 ? [0x001a] : undefined);
    expect(turn.counters).toMatchObject({ allocations: 0, reservations: 0, refused: { 401: 1, [code]: 1 } });
  });

  it('for both families gets IPv4, and why there is no IPv6', () => {
    const granted = new RawClient(server()).allocate([{ type: 'additional-address-family', family: 6 }]);
    expect(attribute(granted!, 'xor-relayed-address')?.endpoint.family).toBe(4);
    expect(attribute(granted!, 'address-error-code')).toMatchObject({ family: 6, code: 440 });
  });

  it('for IPv6 gets it from a server that has it, and IPv4 from one that has nothing else', () => {
    const both = server({ relayAddresses: ['203.0.113.1', '2001:db8::1'] });
    const granted = new RawClient(both).allocate([{ type: 'requested-address-family', family: 6 }]);
    expect(attribute(granted!, 'xor-relayed-address')?.endpoint.address).toBe('2001:db8::1');
    expect(outcome(new RawClient(server({ relayAddresses: ['2001:db8::1'] })).allocate())).toBe(440);
  });

  it.each([
    [undefined, 600],
    [1, 600],
    [0, 600],
    [900, 900],
    [2 ** 32 - 1, 3600],
  ])('with a lifetime of %s gets %i s', (asked, granted) => {
    const response = new RawClient(server()).allocate(asked === undefined ? [] : [lifetime(asked)]);
    expect(attribute(response!, 'lifetime')?.value).toBe(granted);
  });

  it('that comes again gets the same answer, and no second allocation', () => {
    const turn = server();
    const client = new RawClient(turn);
    const first = client.allocate();
    const again = client.deliver(client.sent, 7_000);
    expect(client.actions).toEqual([]);
    expect(attribute(again!, 'xor-relayed-address')).toEqual(attribute(first!, 'xor-relayed-address'));
    expect(attribute(again!, 'lifetime')?.value).toBe(593);
    expect(turn.counters).toMatchObject({ allocations: 1, allocated: 1 });
  });

  it('on a 5-tuple that has an allocation is refused, on another one it is granted', () => {
    const turn = server();
    const client = new RawClient(turn);
    client.allocate();
    expect(outcome(client.allocate())).toBe(437);
    expect(outcome(new RawClient(turn, { transport: 'tcp' }).allocate())).toBe('success');
    expect(outcome(new RawClient(turn, { port: 40_001 }).allocate())).toBe('success');
    expect(outcome(new RawClient(turn, { address: '192.0.2.11' }).allocate())).toBe('success');
    expect(turn.counters.allocations).toBe(4);
  });

  it('waits for a socket, and meanwhile nothing else is answered', () => {
    const turn = server();
    const client = new RawClient(turn);
    client.binds = false;
    expect(client.allocate()).toBeUndefined();
    const { relayed } = onlyBind(client);
    expect(client.deliver(client.sent, 100)).toBeUndefined();
    expect(client.actions).toEqual([]);
    expect(outcome(client.ask(REFRESH, []))).toBe(437);
    expect(turn.receiveFromPeer(new Uint8Array(1), PEER, relayed, 0)).toEqual([]);
    expect(turn.bound(relayed, 200)).toMatchObject([{ type: 'send', to: client.tuple }]);
    expect(turn.bound(relayed, 200)).toEqual([]);
    expect(outcome(client.ask(REFRESH, []))).toBe('success');
  });
});

describe('relayed transport addresses', () => {
  it('are tried until one is free, at most eight of them', () => {
    const bench = new TurnBench();
    const tried: number[] = [];
    bench.isTaken = ({ port }) => tried.push(port) < 8;
    expect(bench.allocated().relayed.port).toBe(tried[7]);
    expect(new Set(tried).size).toBe(8);
    bench.isTaken = () => true;
    expect(bench.allocated().last).toMatchObject({ type: 'failed', failure: { kind: 'refused', code: 508 } });
    expect(bench.server.counters).toMatchObject({ allocations: 1, allocated: 1 });
  });

  it('are within the range, each one client’s, and free again afterwards', () => {
    const bench = new TurnBench({ relayPorts: { first: 50_000, last: 50_003 } });
    const clients = Array.from({ length: 4 }, () => bench.allocated());
    expect(new Set(clients.map(({ relayed }) => relayed.port))).toEqual(new Set([50_000, 50_001, 50_002, 50_003]));
    expect(bench.allocated().last).toMatchObject({ failure: { code: 508 } });
    clients[2]!.do({ type: 'close' });
    expect(bench.allocated().relayed).toEqual(clients[2]!.relayed);
  });

  it('are even where that is asked for', () => {
    const turn = server();
    for (let port = 1; port <= 20; port++) {
      const granted = new RawClient(turn, { port }).allocate([{ type: 'even-port', reserve: false }]);
      expect(attribute(granted!, 'xor-relayed-address')!.endpoint.port % 2).toBe(0);
      expect(attribute(granted!, 'reservation-token')).toBeUndefined();
    }
  });

  it('are reserved for who has the token, once, for 30 s', () => {
    const turn = server({ relayPorts: { first: 50_000, last: 50_003 } });
    const reserve: EncodableAttribute = { type: 'even-port', reserve: true };
    const [first, second] = [1, 2].map((port) => new RawClient(turn, { port }).allocate([reserve])!);
    expect(turn.counters.reservations).toBe(2);
    expect(outcome(new RawClient(turn, { port: 3 }).allocate())).toBe(508);
    const token = attribute(first!, 'reservation-token')!;
    const claimed = new RawClient(turn, { port: 4, transport: 'tcp', credentials: BOB }).allocate([token]);
    expect(attribute(claimed!, 'xor-relayed-address')!.endpoint.port).toBe(
      attribute(first!, 'xor-relayed-address')!.endpoint.port + 1,
    );
    expect(outcome(new RawClient(turn, { port: 5 }).allocate([token]))).toBe(508);
    expect(outcome(new RawClient(turn, { port: 6 }).allocate([], 29_999))).toBe(508);
    expect(outcome(new RawClient(turn, { port: 6 }).allocate([attribute(second!, 'reservation-token')!], 30_000))).toBe(
      508,
    );
    expect(outcome(new RawClient(turn, { port: 7 }).allocate([], 30_000))).toBe('success');
    expect(turn.counters.reservations).toBe(0);
  });

  it('that cannot be bound take their reservation with them', () => {
    const turn = server({ relayPorts: { first: 50_000, last: 50_003 } });
    const client = new RawClient(turn);
    client.binds = false;
    client.allocate([{ type: 'even-port', reserve: true }]);
    const first = onlyBind(client).relayed;
    const [second] = turn.unbound(first, 0);
    expect(second).toMatchObject({ type: 'bind' });
    expect(turn.counters).toMatchObject({ allocations: 1, reservations: 1 });
    for (const port of [1, 2]) expect(outcome(new RawClient(turn, { port }).allocate())).toBe('success');
    expect(outcome(new RawClient(turn, { port: 3 }).allocate())).toBe(508);
  });

  it.each([
    [{ relayAddresses: ['203.0.113.1', '203.0.113.2'] }],
    [{ relayAddresses: ['turn.example.org'] }],
    [{ relayPorts: { first: 2, last: 1 } }],
    [{ relayPorts: { first: 0, last: 1 } }],
    [{ relayPorts: { first: 1, last: 65_536 } }],
    [{ realm: 'x'.repeat(128) }],
  ])('%j are refused', (options) => {
    expect(() => server(options)).toThrow(RangeError);
  });
});

describe('the life of an allocation', () => {
  it('ends by itself, when its time is over', () => {
    const turn = server();
    const client = new RawClient(turn);
    const { endpoint: relayed } = attribute(client.allocate()!, 'xor-relayed-address')!;
    expect(turn.wakeAt).toBe(600_000);
    expect(turn.expire(599_999)).toEqual([]);
    expect(turn.expire(600_000)).toEqual([{ type: 'release', relayed }]);
    expect(turn.wakeAt).toBeUndefined();
    expect(outcome(client.ask(REFRESH, [], 600_001))).toBe(437);
  });

  it('goes on with a Refresh, and ends with one of 0 s', () => {
    const turn = server();
    const client = new RawClient(turn);
    client.allocate();
    const refreshed = client.ask(REFRESH, [lifetime(1_000)], 500_000);
    expect(attribute(refreshed!, 'lifetime')?.value).toBe(1_000);
    expect(turn.expire(1_499_999)).toEqual([]);
    expect(attribute(client.ask(REFRESH, [], 1_499_999)!, 'lifetime')?.value).toBe(600);
    const ended = client.ask(REFRESH, [lifetime(0)], 1_500_000);
    expect(attribute(ended!, 'lifetime')?.value).toBe(0);
    expect(client.actions).toMatchObject([{ type: 'release' }]);
    expect(outcome(client.ask(REFRESH, [lifetime(0)], 1_500_000))).toBe(437);
    expect(turn.counters.allocations).toBe(0);
  });

  it('of many ends in its turn', () => {
    const turn = server();
    const clients = [700, 900, 800].map((seconds, port) => {
      const client = new RawClient(turn, { port: port + 1 });
      client.allocate([lifetime(seconds)]);
      return client;
    });
    clients[0]!.ask(REFRESH, [lifetime(1_000)], 100_000);
    const ends: number[] = [];
    while (turn.wakeAt !== undefined) {
      const at: number = turn.wakeAt;
      for (const { type } of turn.expire(at)) if (type === 'release') ends.push(at);
    }
    expect(ends).toEqual([800_000, 900_000, 1_100_000]);
  });

  it('is not extended in another family', () => {
    const client = new RawClient(server());
    client.allocate();
    expect(outcome(client.ask(REFRESH, [{ type: 'requested-address-family', family: 6 }]))).toBe(443);
    expect(outcome(client.ask(REFRESH, [{ type: 'requested-address-family', family: 4 }]))).toBe('success');
  });

  it('ends with its stream, and with its socket', () => {
    const turn = server();
    const stream = new RawClient(turn, { transport: 'tcp' });
    const { endpoint: relayed } = attribute(stream.allocate()!, 'xor-relayed-address')!;
    expect(turn.disconnect(stream.tuple, 0)).toEqual([{ type: 'release', relayed }]);
    expect(turn.disconnect(stream.tuple, 0)).toEqual([]);
    const other = attribute(new RawClient(turn).allocate()!, 'xor-relayed-address')!.endpoint;
    expect(turn.unbound(other, 0)).toEqual([]);
    expect(turn.counters.allocations).toBe(0);
  });

  it('is its user’s: others are told so (RFC 8656 section 5)', () => {
    const turn = server();
    new RawClient(turn).allocate();
    expect(outcome(new RawClient(turn, { credentials: BOB }).ask(REFRESH, []))).toBe(441);
    expect(turn.counters.allocations).toBe(1);
  });
});

describe('other messages', () => {
  it('answers a Binding request without credentials', () => {
    const client = new RawClient(server());
    const answer = client.askOnce(BINDING, []);
    expect(attribute(answer!, 'xor-mapped-address')?.endpoint).toEqual(client.tuple.client);
    expect(answer!.attributes).toHaveLength(1);
    expect(verifyIntegrity(answer!, new Uint8Array(16))).toBe(false);
  });

  it('drops what it does not know, and answers no response', () => {
    const turn = server();
    const client = new RawClient(turn);
    for (const method of [0x002, SEND, DATA, 0x00a, 0xfff]) expect(outcome(client.askOnce(method, []))).toBe('nothing');
    const answer = client.askOnce(BINDING, [])!;
    expect(client.deliver(answer.raw)).toBeUndefined();
    expect(turn.counters.dropped).toMatchObject({ foreign: 6 });
    for (const bytes of [[], [0x40], [1, 2, 3, 4], Array(100).fill(0xff)]) client.deliver(Uint8Array.from(bytes));
    expect(turn.counters.dropped).toMatchObject({ malformed: 4 });
  });
});
