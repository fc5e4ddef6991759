import { beforeEach, describe, expect, it } from 'vitest';
import { encodeRelayFrame } from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof } from '../../../src/protocol/rendezvous/registration-proof.ts';
import {
  type EngineClient,
  type EngineWorld,
  engineWorld,
  filled,
  type TestIdentity,
  testIdentity,
} from './support.ts';

const session = filled(16, 1);
const ticketId = filled(16, 2);
const caller = filled(16, 3);
const envelope = filled(50, 4);
const answer = filled(60, 5);
const standing = filled(70, 6);
const identity = testIdentity();

let world: EngineWorld;
let dialer: EngineClient;
let listener: EngineClient;

function offer(to: TestIdentity = identity, changes: { session?: Uint8Array; caller?: Uint8Array } = {}) {
  return { type: 'offer', to: to.key, session, ticketId, envelope, caller, ...changes } as const;
}

/** A session that the listener has answered; what was said is read. */
function connect(): void {
  dialer.send(offer());
  listener.send({ type: 'envelope', session, envelope: answer });
  dialer.read();
  listener.read();
}

beforeEach(() => {
  world = engineWorld();
  dialer = world.connect();
  listener = world.connect();
  listener.register(identity, [{ ticketId, envelope: standing }]);
  expect(listener.read()).toEqual([{ type: 'registered' }]);
});

describe('introduction', () => {
  it('greets with what the server offers and a challenge of its own for each', () => {
    expect(dialer.hello).toMatchObject({ v: 1, name: 'test.example:8790', stun: [':3478'], relay: true });
    expect(dialer.hello.challenge).not.toEqual(listener.hello.challenge);
  });

  it('hands the standing answer to the dialer and the offer to the listener, in one step', () => {
    dialer.send(offer());
    expect(dialer.read()).toEqual([{ type: 'standing', session, envelope: standing }]);
    expect(listener.read()).toEqual([{ type: 'offer', session, ticketId, envelope }]);
  });

  it('has no standing answer for another ticket', () => {
    dialer.send({ ...offer(), ticketId: filled(16, 99) });
    expect(dialer.read()).toEqual([]);
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
  });

  it('replaces the standing answers with each registration', () => {
    listener.register(identity, []);
    dialer.send(offer());
    expect(dialer.read()).toEqual([]);
  });

  it('says when nobody has the key', () => {
    dialer.send(offer(testIdentity()));
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'unknown' }]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('does not introduce a client to itself', () => {
    listener.send(offer());
    expect(listener.read()).toEqual([{ type: 'unreachable', session, reason: 'unknown' }]);
  });

  it('carries envelopes both ways', () => {
    connect();
    dialer.send({ type: 'envelope', session, envelope });
    listener.send({ type: 'envelope', session, envelope: answer });
    expect(listener.read()).toEqual([{ type: 'envelope', session, envelope }]);
    expect(dialer.read()).toEqual([{ type: 'envelope', session, envelope: answer }]);
  });
});

describe('registration', () => {
  it('needs the signature of the key over this connection’s challenge', () => {
    const thief = world.connect();
    const signature = identity.sign(filled(32, 0));
    thief.send({ type: 'register', key: identity.key, signature, since: 0, standing: [] });
    expect(thief.read()).toMatchObject([{ type: 'error', code: 'ERR_PEER_KEY' }]);
    dialer.send(offer());
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
  });

  it('replaces the one before, which is told and stays away', () => {
    const second = world.connect();
    second.register(identity);
    expect(listener.read()).toEqual([{ type: 'replaced' }]);
    dialer.send(offer());
    expect(second.read()).toMatchObject([{ type: 'registered' }, { type: 'offer' }]);
    expect(listener.read()).toEqual([]);
    listener.disconnect();
    dialer.send(offer());
    expect(second.read()).toMatchObject([{ type: 'offer' }]);
  });

  it('is worth nothing under another name of the server', () => {
    const other = world.connect('other.example');
    const signature = identity.sign(registrationProof('test.example:8790', other.hello.challenge));
    other.send({ type: 'register', key: identity.key, signature, since: identity.since, standing: [] });
    expect(other.read()).toMatchObject([{ type: 'error', code: 'ERR_PEER_KEY' }]);
    other.register(testIdentity());
    expect(other.hello.name).toBe('other.example');
    expect(other.read()).toEqual([{ type: 'registered' }]);
  });

  it('of one that began to listen earlier does not take over from a later one', () => {
    const returning = world.connect();
    returning.register({ ...identity, since: identity.since - 1 });
    expect(returning.read()).toEqual([{ type: 'replaced' }]);
    expect(listener.read()).toEqual([]);
    dialer.send(offer());
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
    listener.disconnect();
    returning.register({ ...identity, since: identity.since - 1 });
    expect(returning.read()).toEqual([{ type: 'registered' }]);
  });

  it('of the same client again replaces nobody', () => {
    listener.register(identity);
    expect(listener.read()).toEqual([{ type: 'registered' }]);
    expect(world.engine.counters().registrations).toBe(1);
  });

  it('under another key gives the first one up', () => {
    const other = testIdentity();
    listener.register(other);
    dialer.send(offer());
    expect(dialer.read()).toMatchObject([{ type: 'unreachable' }]);
    expect(world.engine.counters().registrations).toBe(1);
  });

  it('ends with the connection', () => {
    listener.disconnect();
    dialer.send(offer());
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'unknown' }]);
    expect(world.engine.counters()).toMatchObject({ registrations: 0, clients: 1 });
  });
});

describe('lookup', () => {
  const contact = { key: filled(32, 7), signature: filled(64, 8) };
  const lookup = { type: 'lookup', session, key: identity.key } as const;

  it('gives the contact that was registered with the key, until it is registered without one or ends', () => {
    listener.register(identity, [], contact);
    dialer.send(lookup);
    expect(dialer.read()).toEqual([{ type: 'contact', session, contact }]);
    listener.register(identity);
    dialer.send(lookup);
    expect(dialer.read()).toEqual([{ type: 'contact', session }]);
    listener.register(identity, [], contact);
    listener.disconnect();
    dialer.send(lookup);
    expect(dialer.read()).toEqual([{ type: 'contact', session }]);
  });

  it('tells of an unknown key the same as of one that is not to be dialled without a ticket', () => {
    dialer.send({ ...lookup, key: testIdentity().key });
    expect(dialer.read()).toEqual([{ type: 'contact', session }]);
  });

  it('opens no session and tells the listener nothing', () => {
    dialer.send(lookup);
    expect(listener.read()).toEqual([]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('keeps to the rate of requests, and says of which question it does not answer', () => {
    world = engineWorld({ limits: { requests: { rate: 1, burst: 2 } } });
    dialer = world.connect();
    for (let i = 0; i < 3; i++) dialer.send(lookup);
    expect(dialer.read().slice(2)).toMatchObject([{ type: 'error', code: 'ERR_BUSY', session }]);
  });
});

describe('strangers', () => {
  let stranger: EngineClient;
  beforeEach(() => {
    stranger = world.connect();
    connect();
  });

  it('cannot send into a session, nor learn that there is one', () => {
    stranger.send({ type: 'envelope', session, envelope });
    stranger.send({ type: 'envelope', session: filled(16, 77), envelope });
    expect(stranger.read()).toEqual([
      { type: 'unreachable', session, reason: 'unknown' },
      { type: 'unreachable', session: filled(16, 77), reason: 'unknown' },
    ]);
    stranger.sendRaw(encodeRelayFrame(session, filled(10, 1)));
    stranger.send({ type: 'leave', session });
    expect(dialer.read()).toEqual([]);
    expect(listener.read()).toEqual([]);
    expect(dialer.readDatagrams()).toEqual([]);
    expect(listener.readDatagrams()).toEqual([]);
    expect(world.engine.counters().sessions).toBe(1);
  });

  it('cannot take a session over with its id, while its dialer is there or gone', () => {
    stranger.send(offer(identity, { caller: filled(16, 66) }));
    expect(stranger.read()).toMatchObject([{ type: 'error', code: 'ERR_SERVER_REFUSED', session }]);
    dialer.disconnect();
    listener.read();
    stranger.send(offer(identity, { caller: filled(16, 66) }));
    expect(stranger.read()).toMatchObject([{ type: 'error', code: 'ERR_SERVER_REFUSED', session }]);
    expect(listener.read()).toEqual([]);
  });

  it('cannot point a session at another listener', () => {
    const other = testIdentity();
    stranger.register(other);
    dialer.send(offer(other));
    expect(dialer.read()).toMatchObject([{ type: 'error', code: 'ERR_SERVER_REFUSED', session }]);
    expect(stranger.read()).toEqual([{ type: 'registered' }]);
  });

  it('cannot answer for a listener', () => {
    const fresh = filled(16, 55);
    dialer.send(offer(identity, { session: fresh }));
    dialer.read();
    stranger.register(testIdentity());
    stranger.read();
    stranger.send({ type: 'envelope', session: fresh, envelope: answer });
    expect(dialer.read()).toEqual([]);
    expect(stranger.read()).toMatchObject([{ type: 'unreachable', reason: 'unknown' }]);
  });
});

describe('coming and going', () => {
  it('tells the other end at once when one is gone', () => {
    connect();
    listener.disconnect();
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    dialer.send({ type: 'envelope', session, envelope });
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'silent' }]);
  });

  it('tells apart an end that said nothing for long: it may come back', () => {
    connect();
    listener.disconnect(true);
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'silent' }]);
  });

  it('lets the dialer go on over a new connection, even before the old one is known to be dead', () => {
    connect();
    const again = world.connect();
    again.send(offer());
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
    listener.send({ type: 'envelope', session, envelope: answer });
    expect(again.read()).toMatchObject([{ type: 'standing' }, { type: 'envelope' }]);
    expect(dialer.read()).toEqual([]);
    dialer.disconnect();
    expect(listener.read()).toEqual([]);
  });

  it('lets the dialer come back after it was gone', () => {
    connect();
    dialer.disconnect();
    expect(listener.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    const again = world.connect();
    again.send(offer());
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
  });

  it('lets the listener go on over a new connection once it has proven its key', () => {
    connect();
    listener.disconnect();
    dialer.read();
    const again = world.connect();
    again.send({ type: 'envelope', session, envelope: answer });
    expect(again.read()).toMatchObject([{ type: 'unreachable', reason: 'unknown' }]);
    again.register(identity);
    again.send({ type: 'envelope', session, envelope: answer });
    expect(dialer.read()).toEqual([{ type: 'envelope', session, envelope: answer }]);
  });

  it('keeps the sessions of a listener that was replaced with it', () => {
    connect();
    const second = world.connect();
    second.register(identity);
    listener.read();
    dialer.send({ type: 'envelope', session, envelope });
    expect(listener.read()).toMatchObject([{ type: 'envelope' }]);
  });

  it('forgets a session that one end leaves, and tells the other', () => {
    connect();
    dialer.send({ type: 'leave', session });
    expect(listener.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    expect(dialer.read()).toEqual([]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('tells a dialer that its listener left without an answer', () => {
    dialer.send(offer());
    dialer.read();
    listener.send({ type: 'leave', session });
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'declined' }]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('forgets an unanswered session with its dialer', () => {
    dialer.send(offer());
    listener.read();
    dialer.disconnect();
    expect(listener.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('lets a listener that was replaced dial its successor in a session that it was the other end of', () => {
    connect();
    const successor = world.connect();
    successor.register(identity);
    listener.send(offer());
    expect(successor.read()).toMatchObject([{ type: 'registered' }, { type: 'offer' }]);
    listener.disconnect();
    expect(successor.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    successor.disconnect();
    dialer.disconnect();
    expect(world.engine.counters()).toMatchObject({ sessions: 0, clients: 0 });
  });

  it('forgets a session once both ends are gone', () => {
    connect();
    dialer.disconnect();
    listener.disconnect();
    expect(world.engine.counters()).toMatchObject({ sessions: 0, clients: 0, registrations: 0 });
  });

  it('forgets a session whose absent end does not come back', () => {
    connect();
    dialer.disconnect();
    listener.read();
    world.now += 150_001;
    listener.send({ type: 'leave', session: filled(16, 9) });
    expect(listener.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    expect(world.engine.counters().sessions).toBe(0);
  });

  it('gives up on a session that is never answered', () => {
    dialer.send(offer());
    dialer.read();
    world.now += 60_001;
    dialer.send({ type: 'leave', session: filled(16, 9) });
    expect(dialer.read()).toEqual([{ type: 'unreachable', session, reason: 'gone' }]);
    expect(world.engine.counters().sessions).toBe(0);
  });
});

describe('relay', () => {
  const frame = encodeRelayFrame(session, filled(1200, 9));

  it('hands datagrams on, both ways, as they are', () => {
    connect();
    dialer.sendRaw(frame);
    listener.sendRaw(frame);
    expect(listener.readDatagrams()).toEqual([frame]);
    expect(dialer.readDatagrams()).toEqual([frame]);
    expect(world.engine.counters()).toMatchObject({ relayedDatagrams: 2, relayedBytes: 2 * frame.length });
  });

  it('passes at most 8 datagrams before the listener has answered, in both directions together', () => {
    dialer.send(offer());
    const small = encodeRelayFrame(session, filled(10, 1));
    for (let i = 0; i < 5; i++) {
      dialer.sendRaw(small);
      listener.sendRaw(small);
    }
    expect(listener.readDatagrams().length + dialer.readDatagrams().length).toBe(8);
    expect(world.engine.counters().dropped).toMatchObject({ unanswered: 2 });
  });

  it('passes at most 10 KiB before the listener has answered', () => {
    dialer.send(offer());
    const large = encodeRelayFrame(session, filled(1500, 1));
    for (let i = 0; i < 8; i++) dialer.sendRaw(large);
    expect(listener.readDatagrams()).toHaveLength(6);
  });

  it('gives no fresh allowance to an offer that is repeated', () => {
    for (let i = 0; i < 12; i++) {
      dialer.send(offer());
      dialer.sendRaw(frame);
    }
    expect(listener.readDatagrams()).toHaveLength(8);
  });

  it('is not opened by an envelope of the dialer', () => {
    dialer.send(offer());
    dialer.send({ type: 'envelope', session, envelope });
    for (let i = 0; i < 12; i++) dialer.sendRaw(frame);
    expect(listener.readDatagrams()).toHaveLength(8);
  });

  it('keeps to a rate', () => {
    world = engineWorld({ limits: { relay: { rate: 10 * frame.length, burst: 10 * frame.length } } });
    dialer = world.connect();
    listener = world.connect();
    listener.register(identity);
    connect();
    for (let i = 0; i < 20; i++) dialer.sendRaw(frame);
    expect(listener.readDatagrams()).toHaveLength(10);
    world.now += 300;
    for (let i = 0; i < 20; i++) dialer.sendRaw(frame);
    expect(listener.readDatagrams()).toHaveLength(3);
  });

  it('drops what is too long, cut, of another type, or of no session', () => {
    connect();
    dialer.sendRaw(encodeRelayFrame(session, filled(1501, 1)));
    dialer.sendRaw(frame.subarray(0, 17));
    dialer.sendRaw(new Uint8Array(0));
    dialer.sendRaw(Uint8Array.from(frame, (byte, i) => (i === 0 ? 2 : byte)));
    dialer.sendRaw(encodeRelayFrame(filled(16, 44), filled(10, 1)));
    expect(listener.readDatagrams()).toEqual([]);
    expect(dialer.read()).toEqual([]);
    expect(world.engine.counters().dropped).toMatchObject({ malformed: 4, unknown: 1 });
  });

  it('can be switched off', () => {
    world = engineWorld({ relay: false });
    dialer = world.connect();
    listener = world.connect();
    expect(dialer.hello.relay).toBe(false);
    listener.register(identity);
    connect();
    dialer.sendRaw(frame);
    expect(listener.readDatagrams()).toEqual([]);
  });
});

describe('bounds', () => {
  it('turns clients away when full', () => {
    world = engineWorld({ limits: { clients: 2 } });
    world.connect();
    const second = world.connect();
    expect(world.connect().closed).toEqual({ code: 1013, reason: 'this server is full' });
    second.disconnect();
    expect(world.connect().closed).toBeUndefined();
  });

  it('lets the oldest unanswered session of a listener give way', () => {
    world = engineWorld({ limits: { unansweredPerListener: 3 } });
    dialer = world.connect();
    listener = world.connect();
    listener.register(identity);
    for (let i = 0; i < 5; i++) dialer.send(offer(identity, { session: filled(16, i) }));
    expect(world.engine.counters().sessions).toBe(3);
    expect(dialer.read()).toEqual([
      { type: 'unreachable', session: filled(16, 0), reason: 'gone' },
      { type: 'unreachable', session: filled(16, 1), reason: 'gone' },
    ]);
    listener.read();
    listener.send({ type: 'envelope', session: filled(16, 2), envelope: answer });
    dialer.read();
    dialer.send(offer(identity, { session: filled(16, 6) }));
    expect(dialer.read()).toEqual([]);
    expect(world.engine.counters().sessions).toBe(4);
  });

  it.each([{ sessionsPerClient: 4 }, { sessions: 4 }])('refuses sessions beyond %o', (limits) => {
    world = engineWorld({ limits });
    dialer = world.connect();
    listener = world.connect();
    listener.register(identity);
    for (let i = 0; i < 5; i++) dialer.send(offer(identity, { session: filled(16, i) }));
    expect(dialer.read()).toMatchObject([{ type: 'error', code: 'ERR_BUSY', session: filled(16, 4) }]);
    expect(world.engine.counters().sessions).toBe(4);
  });

  it('keeps standing answers within their number and memory', () => {
    world = engineWorld({ limits: { standing: 3, standingBytes: 250 } });
    dialer = world.connect();
    const answersOf = (length: number) =>
      Array.from({ length: 5 }, (_, i) => ({ ticketId: filled(16, i), envelope: filled(length, i) }));
    const served = (): number => {
      for (let i = 0; i < 5; i++) {
        dialer.send({ ...offer(identity, { session: filled(16, i) }), ticketId: filled(16, i) });
      }
      return dialer.read().filter(({ type }) => type === 'standing').length;
    };
    listener = world.connect();
    listener.register(identity, answersOf(10));
    expect(served()).toBe(3);
    listener.register(identity, answersOf(100));
    expect(served()).toBe(2);
    listener.disconnect();
    listener = world.connect();
    listener.register(identity, answersOf(83));
    expect(served()).toBe(3);
  });

  it('holds requests to a rate, and says so', () => {
    world = engineWorld({ limits: { requests: { rate: 10, burst: 3 } } });
    dialer = world.connect();
    listener = world.connect();
    listener.register(identity);
    for (let i = 0; i < 5; i++) dialer.send(offer(identity, { session: filled(16, i) }));
    expect(dialer.read()).toMatchObject([
      { type: 'error', code: 'ERR_BUSY', session: filled(16, 3) },
      { type: 'error', code: 'ERR_BUSY', session: filled(16, 4) },
    ]);
    world.now += 100;
    dialer.send(offer(identity, { session: filled(16, 5) }));
    expect(dialer.read()).toEqual([]);
  });

  it('counts long control frames for more', () => {
    world = engineWorld({ limits: { control: { rate: 1, burst: 4 } } });
    dialer = world.connect();
    dialer.sendRaw(' '.repeat(3 * 4_096));
    expect(dialer.read()).toMatchObject([{ type: 'error', code: 'ERR_PROTOCOL' }]);
    dialer.sendRaw(' '.repeat(4_097));
    expect(dialer.read()).toMatchObject([{ type: 'error', code: 'ERR_BUSY' }]);
  });

  it('answers nonsense and goes on', () => {
    dialer.sendRaw('nonsense');
    dialer.sendRaw('{"type":"dance"}');
    expect(dialer.read()).toMatchObject([
      { type: 'error', code: 'ERR_PROTOCOL' },
      { type: 'error', code: 'ERR_PROTOCOL' },
    ]);
    expect(world.engine.counters().malformed).toBe(2);
    dialer.send(offer());
    expect(listener.read()).toMatchObject([{ type: 'offer' }]);
  });
});
