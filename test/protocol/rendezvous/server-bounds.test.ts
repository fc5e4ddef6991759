import { describe, expect, it } from 'vitest';
import {
  createServerSources,
  defaultServerLimits,
  encodeRelayFrame,
  type ServerLimits,
  type ServerSources,
} from '../../../src/protocol/rendezvous/index.ts';
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

  it('that listens is handed so many offers, and dialers are told', () => {
    const world = boundedWorld({ offersPerListener: { rate: 10, burst: 4 } });
    const listener = world.connectFrom(ELSEWHERE);
    listener.register(identity);
    listener.read();
    const dialers = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => world.connectFrom(address));
    const told = dialers.flatMap((dialer, i) => offer(dialer, identity, 10 * i, 2));
    expect(told).toMatchObject([{ code: 'ERR_BUSY' }, { code: 'ERR_BUSY' }]);
    expect(listener.read()).toHaveLength(4);
    world.now += 100;
    expect(offer(dialers[0]!, identity, 50, 1)).toEqual([]);
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
