import { describe, expect, it } from 'vitest';
import {
  createServerSources,
  defaultServerLimits,
  encodeRelayFrame,
  type ServerLimits,
  type ServerSources,
} from '../../../src/protocol/rendezvous/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import {
  type EngineClient,
  type EngineWorld,
  engineWorld,
  filled,
  type TestIdentity,
  testIdentity,
} from './support.ts';

const HERE = '192.0.2.1';
const ELSEWHERE = '198.51.100.1';
const random = seededRandom('sessions');
const identity = testIdentity();
const ids = { ticketId: filled(16, 2), caller: filled(16, 3), envelope: filled(10, 4) };

interface BoundedWorld extends EngineWorld {
  readonly sources: ServerSources;
  connectFrom(address: string): EngineClient;
}

function boundedWorld(limits: Partial<ServerLimits>): BoundedWorld {
  const world = engineWorld({ limits });
  const sources = createServerSources({ ...defaultServerLimits, ...limits });
  return Object.assign(world, {
    sources,
    connectFrom: (address: string) => world.connect(undefined, sources.find(address, world.now)),
  });
}

/** Offers sessions `first` and the next ones, and gives what came back. */
function offer(dialer: EngineClient, to: TestIdentity, first: number, count: number) {
  for (let i = first; i < first + count; i++) {
    dialer.send({ type: 'offer', to: to.key, session: filled(16, i), ...ids });
  }
  return dialer.read();
}

describe('one address', () => {
  it('cannot take all the clients', () => {
    const world = boundedWorld({ clientsPerSource: 2 });
    const first = world.connectFrom(HERE);
    world.connectFrom(HERE);
    expect(world.connectFrom(HERE).closed).toEqual({ code: 1013, reason: 'too many clients of your address' });
    expect(world.connectFrom(ELSEWHERE).closed).toBeUndefined();
    first.disconnect();
    expect(world.connectFrom(HERE).closed).toBeUndefined();
    expect(world.engine.counters()).toMatchObject({ clients: 3, refused: { 'source-full': 1, full: 0 } });
  });

  it('cannot take all the sessions', () => {
    const world = boundedWorld({ sessionsPerSource: 3 });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const [one, two] = [world.connectFrom(HERE), world.connectFrom(HERE)];
    expect(offer(one, identity, 0, 2)).toEqual([]);
    expect(offer(two, identity, 2, 2)).toMatchObject([{ type: 'error', code: 'ERR_BUSY', session: filled(16, 3) }]);
    expect(offer(world.connectFrom('192.0.2.2'), identity, 4, 1)).toEqual([]);
    one.send({ type: 'leave', session: filled(16, 0) });
    expect(offer(two, identity, 5, 1)).toEqual([]);
    two.disconnect();
    one.disconnect();
    expect(world.sources.find(HERE, world.now).sessions).toBe(0);
  });

  it('cannot take all the memory for standing answers', () => {
    const world = boundedWorld({ standingBytesPerSource: 100, standingBytes: 1_000 });
    const standing = [{ ticketId: ids.ticketId, envelope: filled(60, 1) }];
    const [one, two, other] = [world.connectFrom(HERE), world.connectFrom(HERE), world.connectFrom(ELSEWHERE)];
    one.register(testIdentity(), standing);
    two.register(testIdentity(), standing);
    expect(world.engine.counters().standingBytes).toBe(60);
    other.register(testIdentity(), standing);
    expect(world.engine.counters().standingBytes).toBe(120);
    one.disconnect();
    two.register(testIdentity(), standing);
    expect(world.engine.counters().standingBytes).toBe(120);
  });

  it.each([
    ['frames', { controlPerSource: { rate: 10, burst: 4 } }],
    ['requests', { requestsPerSource: { rate: 10, burst: 4 } }],
  ] as const)('has one rate of %s for all its clients', (_name, limits) => {
    const world = boundedWorld(limits);
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const [one, two] = [world.connectFrom(HERE), world.connectFrom(HERE)];
    expect(offer(one, identity, 0, 3)).toEqual([]);
    expect(offer(two, identity, 3, 2)).toMatchObject([{ code: 'ERR_BUSY' }]);
    expect(offer(world.connectFrom('192.0.2.2'), identity, 5, 1)).toEqual([]);
    world.now += 100;
    expect(offer(two, identity, 6, 2)).toMatchObject([{ code: 'ERR_BUSY' }]);
  });

  it('has one rate of relayed bytes for all its clients', () => {
    const frame = encodeRelayFrame(filled(16, 1), filled(83, 1));
    const world = boundedWorld({ relayPerSource: { rate: 100, burst: 300 } });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const dialers = [world.connectFrom(HERE), world.connectFrom(HERE)];
    for (const [i, dialer] of dialers.entries()) {
      offer(dialer, identity, i + 1, 1);
      listener.send({ type: 'envelope', session: filled(16, i + 1), envelope: filled(1, 1) });
      for (let n = 0; n < 2; n++) dialer.sendRaw(encodeRelayFrame(filled(16, i + 1), filled(83, 1)));
    }
    expect(frame.length).toBe(100);
    expect(listener.readDatagrams()).toHaveLength(3);
    expect(world.engine.counters().dropped.rate).toBe(1);
  });
});

describe('a client', () => {
  it('that sends faster than it is relayed is held back, and never cut off', () => {
    const world = boundedWorld({ relay: { rate: 1_000, burst: 1_000 }, drops: { rate: 1, burst: 5 } });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const dialer = world.connectFrom(HERE);
    offer(dialer, identity, 1, 1);
    listener.send({ type: 'envelope', session: filled(16, 1), envelope: filled(1, 1) });
    const frame = encodeRelayFrame(filled(16, 1), filled(983, 1));
    for (let i = 0; i < 6; i++) dialer.sendRaw(frame);
    expect(dialer.held).toBe(0);
    for (let i = 0; i < 1_000; i++) dialer.sendRaw(frame);
    expect(dialer.held).toBe(1_000);
    world.now += 1_000;
    listener.readDatagrams();
    dialer.sendRaw(frame);
    expect(listener.readDatagrams()).toHaveLength(1);
    expect(dialer.closed).toBeUndefined();
  });

  it('that sends on and on into no session is cut off', () => {
    const world = boundedWorld({ drops: { rate: 1, burst: 5 } });
    const client = world.connectFrom(HERE);
    for (let i = 0; i < 6; i++) client.sendRaw(encodeRelayFrame(filled(16, 1), filled(83, 1)));
    expect(client.closed).toEqual({ code: 1008, reason: 'too many datagrams that cannot be relayed' });
  });

  it('that goes on after it was refused is cut off, and its sessions end', () => {
    const world = boundedWorld({ refusals: { rate: 1, burst: 3 } });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const dialer = world.connectFrom(HERE);
    offer(dialer, identity, 1, 1);
    listener.read();
    for (let i = 0; i < 3; i++) dialer.sendRaw('nonsense');
    expect(dialer.closed).toBeUndefined();
    dialer.sendRaw('nonsense');
    expect(dialer.closed).toEqual({ code: 1008, reason: 'too many frames that were refused' });
    expect(dialer.read()).toHaveLength(4);
    expect(listener.read()).toMatchObject([{ type: 'unreachable', reason: 'gone' }]);
    dialer.sendRaw('nonsense');
    expect(dialer.read()).toEqual([]);
    expect(world.engine.counters()).toMatchObject({ clients: 1, sessions: 0, cutOff: 1, malformed: 4 });
    expect(world.sources.find(HERE, world.now)).toMatchObject({ clients: 0, sessions: 0 });
    dialer.disconnect();
    expect(world.sources.find(HERE, world.now).clients).toBe(0);
  });

  it('that is refused now and then is not', () => {
    const world = boundedWorld({ refusals: { rate: 1, burst: 3 } });
    const client = world.connectFrom(HERE);
    for (let i = 0; i < 20; i++) {
      client.sendRaw('nonsense');
      world.now += 1_000;
    }
    expect(client.closed).toBeUndefined();
  });

  it('may register so often, whatever its keys', () => {
    const world = boundedWorld({ registrations: { rate: 1, burst: 3 }, refusals: { rate: 1, burst: 10 } });
    const client = world.connectFrom(HERE);
    for (let i = 0; i < 20; i++) client.register(testIdentity());
    const answers = client.read().map((frame) => (frame.type === 'error' ? frame.code : frame.type));
    expect(answers).toEqual([...Array(3).fill('registered'), ...Array(11).fill('ERR_BUSY')]);
    expect(client.closed).toMatchObject({ code: 1008 });
    expect(world.engine.counters().registrations).toBe(0);
  });
});

describe('a listener', () => {
  /** Offers sessions in turn from clients of other addresses, until each has been refused; gives how many each could offer. */
  function exhaust(to: TestIdentity, dialers: readonly EngineClient[]): number[] {
    const counts = dialers.map(() => 0);
    const refused = new Set<number>();
    while (refused.size < dialers.length) {
      for (const [at, dialer] of dialers.entries()) {
        dialer.send({ type: 'offer', to: to.key, session: random.bytes(16), ...ids });
        if (dialer.read().some((frame) => frame.type === 'error' && frame.code === 'ERR_BUSY')) refused.add(at);
        else counts[at]!++;
      }
    }
    return counts;
  }

  const generous = { unansweredPerListener: 1_000, refusals: { rate: 100, burst: 1_000 } };

  it.each([
    [1, 30],
    [2, 20],
    [5, 10],
    [11, 5],
  ])('is offered by each of %i addresses in a hurry no more than is left to the next one', (count, share) => {
    const world = boundedWorld({ offersPerListener: 60, ...generous });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    listener.read();
    const from = (first: number, many: number): EngineClient[] =>
      Array.from({ length: many }, (_, i) => world.connectFrom(`192.0.2.${first + i}`));
    expect(exhaust(identity, from(1, count))).toEqual(new Array(count).fill(share));
    expect(listener.read()).toHaveLength(count * share);
    expect(exhaust(identity, from(100, 1))).toEqual([Math.ceil(share / 2)]);
    expect(world.engine.counters().refused['listener-busy']).toBe(count + 1);
  });

  it('is offered that much again after 10 s, by all clients of an address together', () => {
    const world = boundedWorld({ offersPerListener: 8, ...generous });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const [one, two] = [world.connectFrom(HERE), world.connectFrom(HERE)];
    expect(exhaust(identity, [one, two])).toEqual([2, 2]);
    world.now += 9_999;
    expect(exhaust(identity, [one])).toEqual([0]);
    world.now += 1;
    expect(exhaust(identity, [two])).toEqual([4]);
  });

  it('is not kept from offers by what others are offered', () => {
    const world = boundedWorld({ offersPerListener: 8, ...generous });
    const [other, third] = [testIdentity(), testIdentity()];
    for (const one of [other, third]) world.connectFrom(ELSEWHERE).register(one);
    const dialer = world.connectFrom(HERE);
    expect([other, third].flatMap((one) => exhaust(one, [dialer]))).toEqual([4, 4]);
  });

  it('that is offered more than it answers loses the oldest session of the address that has most', () => {
    const world = boundedWorld({ unansweredPerListener: 4 });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    const [honest, one, two] = ['192.0.2.7', '192.0.2.8', '192.0.2.9'].map((address) => world.connectFrom(address));
    offer(honest!, identity, 1, 1);
    offer(one!, identity, 10, 2);
    offer(two!, identity, 20, 100);
    expect(honest!.read()).toEqual([]);
    expect(one!.read()).toMatchObject([{ type: 'unreachable', session: filled(16, 10), reason: 'gone' }]);
    listener.send({ type: 'envelope', session: filled(16, 1), envelope: filled(10, 1) });
    expect(honest!.read()).toMatchObject([{ type: 'envelope', session: filled(16, 1) }]);
    expect(world.engine.counters().sessions).toBe(4);
  });
});

describe('sources', () => {
  const limits = { ...defaultServerLimits, sources: 100 };

  it('are IPv4 addresses and IPv6 /64', () => {
    const sources = createServerSources(limits);
    const find = (address: string) => sources.find(address, 0);
    expect(find('192.0.2.1')).toBe(find('192.0.2.1'));
    expect(find('192.0.2.1')).not.toBe(find('192.0.2.2'));
    expect(find('2001:db8:1:2::1')).toBe(find('2001:db8:1:2:3:4:5:6'));
    expect(find('2001:db8:1:2::1')).not.toBe(find('2001:db8:1:3::1'));
    expect(find('::ffff:192.0.2.1')).toBe(find('192.0.2.1'));
    expect(() => find('example.org')).toThrow(RangeError);
  });

  it('are forgotten when there are too many, those that have nothing open', () => {
    const sources = createServerSources(limits);
    const open = sources.find('192.0.2.1', 0);
    open.clients = 1;
    const knocking = sources.find('192.0.2.2', 0);
    knocking.halfOpen = 1;
    const idle = sources.find('192.0.2.3', 0);
    for (let i = 0; i < 1_000; i++) sources.find(`10.0.${i >> 8}.${i & 0xff}`, 0);
    expect(sources.size).toBe(100);
    expect(sources.find('192.0.2.1', 0)).toBe(open);
    expect(sources.find('192.0.2.2', 0)).toBe(knocking);
    expect(sources.find('192.0.2.3', 0)).not.toBe(idle);
  });

  it('with something open are all remembered, however many', () => {
    const sources = createServerSources({ ...limits, sources: 2 });
    for (let i = 0; i < 5; i++) sources.find(`192.0.2.${i}`, 0).clients = 1;
    expect(sources.size).toBe(5);
  });
});
