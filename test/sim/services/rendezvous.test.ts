import { describe, expect, it } from 'vitest';
import { encodeRelayFrame } from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof } from '../../../src/protocol/rendezvous/registration-proof.ts';
import type { HelloFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { type Internet, internet, type RendezvousServiceSpec, type ServiceSpec } from '../../../src/sim/index.ts';
import { createRegistration } from '../../../src/testing/compliance/signaling-world.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { dial, join, type RawClient } from './raw-client.ts';

const SESSION = filled(16, 1);

function meeting(spec: Partial<RendezvousServiceSpec> = {}, others: readonly ServiceSpec[] = []): Internet {
  const world = internet({ seed: 1 });
  const addresses = ['198.51.100.1', '198.51.100.2'];
  world.host('meet', { addresses, services: [...others, { type: 'rendezvous', ...spec }] });
  for (const name of ['alice', 'bob']) world.nat(`${name}'s`).host(name);
  return world;
}

/** A client that has been told hello. */
async function client(world: Internet, name: string): Promise<RawClient> {
  const joining = join(world.hostNamed(name), world.hostNamed('meet'));
  const joined = await world.clock.runUntil(joining);
  await world.clock.advance(1);
  return joined;
}

function helloOf({ frames }: RawClient): HelloFrame {
  expect(frames[0]).toMatchObject({ type: 'hello' });
  return frames[0] as HelloFrame;
}

/** Alice, who has answered a session that Bob has offered. */
async function session(world: Internet): Promise<{ alice: RawClient; bob: RawClient }> {
  const [alice, bob] = [await client(world, 'alice'), await client(world, 'bob')];
  const { key, sign, since } = createRegistration();
  const { name, challenge } = helloOf(alice);
  alice.send({ type: 'register', key, since, signature: sign(registrationProof(name, challenge)), standing: [] });
  await world.clock.advance(100);
  const offer = { to: key, session: SESSION, ticketId: filled(16, 2), envelope: filled(10, 3), caller: filled(16, 4) };
  bob.send({ type: 'offer', ...offer });
  await world.clock.advance(100);
  alice.send({ type: 'envelope', session: SESSION, envelope: filled(10, 5) });
  await world.clock.advance(100);
  expect(bob.frames.at(-1)).toMatchObject({ type: 'envelope' });
  return { alice, bob };
}

describe('a rendezvous service', () => {
  it('says hello after two round trips, by the name that it was dialled by', async () => {
    const world = meeting();
    const alice = await client(world, 'alice');
    expect(world.clock.now()).toBe(2 * 80 + 1);
    expect(helloOf(alice)).toMatchObject({ name: 'meet:8790', relay: true, stun: [] });
  });

  it.each<[string, Partial<RendezvousServiceSpec>, readonly ServiceSpec[], readonly string[]]>([
    ['those of its host', {}, [{ type: 'stun' }], [':3478', ':3479']],
    [
      'those of its host, with the alternate address',
      {},
      [{ type: 'stun', port: 3500, alternate: true }],
      [':3500', ':3501', '198.51.100.2:3500'],
    ],
    [
      'the first eight',
      {},
      [3000, 3100, 3200, 3300, 3400].map((port) => ({ type: 'stun', port })),
      [3000, 3001, 3100, 3101, 3200, 3201, 3300, 3301].map((port) => `:${port}`),
    ],
    ['those that the plan names', { stun: ['stun.example.org:3478'] }, [{ type: 'stun' }], ['stun.example.org:3478']],
    ['none', { stun: [] }, [{ type: 'stun' }], []],
  ])('tells of STUN servers: %s', async (_what, spec, others, stun) => {
    expect(helloOf(await client(meeting(spec, others), 'alice')).stun).toEqual(stun);
  });

  it('relays the datagrams of a session, unless it is told not to', async () => {
    for (const relay of [true, false]) {
      const world = meeting({ relay });
      const { alice, bob } = await session(world);
      bob.connection.send(encodeRelayFrame(SESSION, filled(1_200, 6)));
      await world.clock.advance(100);
      expect(helloOf(alice).relay).toBe(relay);
      expect(alice.datagrams.map(({ length }) => length)).toEqual(relay ? [1_217] : []);
    }
  });

  it('takes no second client by what belongs to the first', async () => {
    const world = meeting();
    await session(world);
    const stranger = await client(world, 'bob');
    stranger.send({ type: 'envelope', session: SESSION, envelope: filled(10, 9) });
    await world.clock.advance(100);
    expect(stranger.frames.at(-1)).toMatchObject({ type: 'unreachable', reason: 'unknown' });
  });

  it('takes at most 1,000 clients of one address, as in reality', async () => {
    const world = internet({ seed: 1 });
    const office = world.lan('office');
    const [server, host] = [office.host('meet', { services: [{ type: 'rendezvous' }] }), office.host('alice')];
    const joining = Array.from({ length: 1_001 }, () => join(host, server));
    const clients = await world.clock.runUntil(Promise.all(joining));
    await world.clock.advance(100);
    expect(clients.filter(({ frames: [first] }) => first?.type === 'hello')).toHaveLength(1_000);
    const ends = clients.flatMap(({ end }) => (end === undefined ? [] : [end]));
    expect(ends).toEqual([[1013, 'too many clients of your address']]);
  });

  it('ends what has not become a WebSocket after 10 s', async () => {
    const world = meeting();
    const socket = await world.clock.runUntil(dial(world.hostNamed('alice'), world.hostNamed('meet')));
    await socket.write(Buffer.from('GET / HTTP/1.1\r\n'));
    const ended = socket.read();
    expect(await world.clock.runUntil(ended)).toBeNull();
    expect(world.clock.now()).toBe(120 + 10_000 + 40);
  });

  it.each([
    ['speaks something else', 'SSH-2.0-x\r\n\r\n'],
    ['asks for ever', 'x'.repeat(2_000)],
  ])('ends a connection that %s', async (_what, text) => {
    const world = meeting();
    const socket = await world.clock.runUntil(dial(world.hostNamed('alice'), world.hostNamed('meet')));
    await socket.write(Buffer.from(text));
    expect(await world.clock.runUntil(socket.read())).toBeNull();
    expect(world.clock.now()).toBe(160);
  });

  it('notices within a minute that a client is gone without a word, and tells the other end', async () => {
    const world = meeting();
    const { alice, bob } = await session(world);
    const since = world.clock.now();
    world.hostNamed('alice').stop();
    await world.clock.advance(60_000 + 100);
    expect(bob.frames.at(-1)).toMatchObject({ type: 'unreachable', reason: 'silent' });
    expect(bob.end).toBeUndefined();
    expect(alice.frames.at(-1)).toMatchObject({ type: 'offer' });
    expect(world.clock.now() - since).toBeLessThan(61_000);
  });

  it('keeps at most 256 KiB of datagrams for a client that does not read, beside what TCP holds', async () => {
    const world = meeting();
    const { alice, bob } = await session(world);
    const goOn = alice.connection.hold();
    let sent = 0;
    for (let i = 0; i < 400; i++) {
      for (let j = 0; j < 8; j++, sent += 1_217) bob.connection.send(encodeRelayFrame(SESSION, filled(1_200, 7)));
      await world.clock.advance(10);
    }
    await world.clock.advance(10_000);
    expect(alice.datagrams).toEqual([]);
    goOn();
    await world.clock.advance(60_000);
    const received = 1_221 * alice.datagrams.length;
    expect(sent).toBeGreaterThan(3.5 * MIB);
    expect(received).toBeGreaterThan(2.2 * MIB);
    expect(received).toBeLessThan(2.25 * MIB + 2 * 1_460);
    expect(alice.end).toBeUndefined();
  });

  it('ends a client that does not read what it must be told', async () => {
    const world = meeting();
    const { alice, bob } = await session(world);
    alice.connection.hold();
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 4; j++) bob.send({ type: 'envelope', session: SESSION, envelope: filled(16_000, 7) });
      await world.clock.advance(500);
    }
    expect(bob.frames.at(-1)).toMatchObject({ type: 'unreachable', reason: 'silent' });
  });

  it('leaves no timer and no connection behind when its host goes down', async () => {
    const world = meeting();
    const [meet, alice, bob] = ['meet', 'alice', 'bob'].map((name) => world.hostNamed(name));
    await session(world);
    const offending = await client(world, 'alice');
    offending.connection.hold();
    for (let i = 0; i < 200; i++) offending.connection.send('nonsense');
    await world.clock.runUntil(dial(alice!, meet!));
    await world.clock.advance(50);
    for (const host of [alice, bob]) host!.stop();
    await world.clock.advance(50);
    expect(world.clock.pending).toBe(3);
    meet!.stop();
    expect(world.clock.pending).toBe(0);
    expect(meet!.tcp.size).toBe(0);
  });
});

const MIB = 2 ** 20;
