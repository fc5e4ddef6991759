import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createActor, fromCallback, setup } from 'xstate';
import type { Mapping, Signaling, SignalingEvent } from '../../src/index.ts';
import { defaultFlow, endpoint } from '../../src/index.ts';
import { internet, seededRandom, simNetwork, VirtualClock } from '../../src/sim.ts';
import { ChartWatch } from '../../src/testing/drivers/chart-watch.ts';
import { FaultyNetwork } from '../../src/testing/drivers/faulty-network.ts';
import { faultySignaling } from '../../src/testing/drivers/faulty-signaling.ts';
import { slowJournal } from '../../src/testing/drivers/slow-journal.ts';
import { mappingOf } from '../fake-leases.ts';

describe('a faulty network', () => {
  async function twoSockets() {
    const world = internet({
      seed: 1,
      hosts: ['a', 'b'].map((name) => ({ name, interfaces: [{ network: 'internet' }] })),
    });
    const counts = { a: { standing: 0 }, b: { standing: 0 } };
    const [a, b] = (['a', 'b'] as const).map(
      (name) => new FaultyNetwork(simNetwork(world.hostNamed(name)), seededRandom(name), counts[name]),
    );
    const [from, to] = await Promise.all([a!.udp({ family: 4 }), b!.udp({ family: 4, port: 7 })]);
    const [address] = await a!.resolve('b', { family: 4 });
    const heard: number[] = [];
    const ports: number[] = [];
    const reading = to.datagrams$.subscribe(({ data, from: source }) => {
      heard.push(data[0]!);
      ports.push(source.port);
    });
    const say = async (...bytes: readonly number[]) => {
      for (const byte of bytes) expect(from.send(Uint8Array.of(byte), endpoint(address!, 7))).toBe(true);
      await world.clock.advance(100);
    };
    return { a: a!, b: b!, from, to, heard, ports, reading, say, counts };
  }

  test('carries everything as long as nothing is wrong', async () => {
    const { a, heard, say } = await twoSockets();
    await say(1, 2, 3);
    expect(heard).toEqual([1, 2, 3]);
    expect(a.sent).toBe(3);
  });

  test('swallows what is blocked, in both directions, without a word', async () => {
    const { a, b, heard, say } = await twoSockets();
    a.faults.blocked = true;
    await say(1);
    Object.assign(a.faults, { blocked: false });
    b.faults.blocked = true;
    await say(2);
    b.faults.blocked = false;
    await say(3);
    expect(heard).toEqual([3]);
    expect(a.sent).toBe(3);
  });

  test('loses the share that it is told', async () => {
    const { a, heard, say } = await twoSockets();
    a.faults.loss = 0.25;
    await say(...Array.from({ length: 1_000 }, (_, i) => i % 256));
    expect(heard.length).toBeGreaterThan(700);
    expect(heard.length).toBeLessThan(800);
  });

  test('rebinds its sockets to other ports, and their owners see the same ones', async () => {
    const { a, from, ports, say } = await twoSockets();
    await say(1);
    const { local } = from;
    await a.rebind();
    await say(2);
    expect(from.local).toEqual(local);
    expect(new Set(ports).size).toBe(2);
    expect(a.open).toBe(1);
  });

  test('leaves sockets as they are whose address the host has no more', async () => {
    const world = internet({ seed: 1, hosts: [{ name: 'a', interfaces: [{ network: 'internet' }] }] });
    const network = new FaultyNetwork(simNetwork(world.hostNamed('a')), seededRandom('a'), { standing: 0 });
    const [{ address } = { address: '' }] = network.interfaces();
    const [stale, anywhere] = await Promise.all([network.udp({ family: 4, address }), network.udp({ family: 4 })]);
    world.happen({ type: 'roam', host: 'a', from: 'internet', to: 'internet' });
    await network.rebind();
    expect(stale.send(Uint8Array.of(1), endpoint('192.0.2.1', 7))).toBe(false);
    expect(anywhere.send(Uint8Array.of(1), endpoint('192.0.2.1', 7))).toBe(true);
  });

  test('gives the first socket of a family the port that it is told', async () => {
    const { a, b, from } = await twoSockets();
    expect(a.ports.get(4)).toBe(from.local.port);
    const again = new FaultyNetwork(b, seededRandom('again'), { standing: 0 });
    again.ports.set(4, from.local.port);
    const sockets = await Promise.all([again.udp({ family: 4 }), again.udp({ family: 4 })]);
    expect(sockets.map(({ local }) => local.port === from.local.port)).toEqual([true, false]);
  });

  test('knows what is open and who is subscribed', async () => {
    const { a, b, from, to, reading, counts } = await twoSockets();
    expect([a.open, b.open, counts.a.standing, counts.b.standing]).toEqual([1, 1, 0, 1]);
    reading.unsubscribe();
    expect(counts.b.standing).toBe(0);
    from.close();
    expect(from.send(Uint8Array.of(1), endpoint('192.0.2.1', 7))).toBe(false);
    to.datagrams$.subscribe();
    b.destroy();
    expect([a.open, b.open, counts.b.standing]).toEqual([0, 0, 0]);
  });
});

describe('faulty signalling', () => {
  function delayed() {
    const clock = new VirtualClock();
    const events = new Subject<SignalingEvent>();
    const faults = { delay: 0 };
    const subscriptions = { standing: 0 };
    const signaling = faultySignaling({ events$: events } as unknown as Signaling, { faults, clock, subscriptions });
    const heard: [number, SignalingEvent['type']][] = [];
    const subscription = signaling.events$.subscribe(({ type }) => heard.push([clock.now(), type]));
    return { clock, events, faults, subscriptions, heard, subscription };
  }

  test('is prompt until it is told otherwise', () => {
    const { events, heard } = delayed();
    events.next({ type: 'registered' });
    expect(heard).toEqual([[0, 'registered']]);
  });

  test('holds up what comes, and keeps its order when it is prompt again', async () => {
    const { clock, events, faults, heard } = delayed();
    faults.delay = 500;
    events.next({ type: 'registered' });
    await clock.advance(100);
    faults.delay = 0;
    events.next({ type: 'replaced' });
    await clock.advance(1_000);
    events.next({ type: 'registered' });
    expect(heard).toEqual([
      [500, 'registered'],
      [500, 'replaced'],
      [1_100, 'registered'],
    ]);
  });

  test('forgets what it holds when nobody listens any more', async () => {
    const { clock, events, faults, heard, subscription, subscriptions } = delayed();
    faults.delay = 500;
    events.next({ type: 'registered' });
    expect(subscriptions.standing).toBe(1);
    subscription.unsubscribe();
    expect([subscriptions.standing, clock.pending]).toEqual([0, 0]);
    expect(heard).toEqual([]);
  });
});

test('a busy disk takes its time, and notes what it is told', async () => {
  const clock = new VirtualClock();
  const notes = new Map<string, Mapping>();
  const journal = slowJournal(
    {
      takeLeftovers: async () => [...notes.values()],
      note: async (key, mapping) => void notes.set(key, mapping),
      strike: async (key) => void notes.delete(key),
    },
    clock,
  );
  const noting = journal.note('a', mappingOf({ protocol: 'udp', internalPort: 5_000 }));
  await clock.advance(49);
  expect(notes.size).toBe(0);
  await clock.advance(1);
  await noting;
  expect(await clock.runUntil(journal.takeLeftovers())).toHaveLength(1);
  await clock.runUntil(journal.strike('a'));
  expect([notes.size, clock.now()]).toEqual([0, 150]);
});

describe('actors that break', () => {
  function watched() {
    const watch = new ChartWatch(defaultFlow);
    const chart = setup({ actors: { work: fromCallback(() => {}) } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { 'work.began': 'working' } },
        working: { invoke: { src: 'work', onError: 'broken' } },
        broken: { on: { 'work.began': 'working' } },
      },
    });
    const actor = createActor(chart, { inspect: watch.inspect }).start();
    const begin = () => actor.send({ type: 'work.began' });
    return { watch, begin, state: () => actor.getSnapshot().value };
  }

  test('do so at once where they are running', () => {
    const { watch, begin, state } = watched();
    begin();
    watch.break('work');
    expect([state(), watch.doomed]).toEqual(['broken', []]);
  });

  test('do so as they begin where they are not, and once', () => {
    const { watch, begin, state } = watched();
    watch.break('work');
    expect([state(), watch.doomed]).toEqual(['idle', ['work']]);
    begin();
    expect([state(), watch.doomed]).toEqual(['broken', []]);
    begin();
    expect(state()).toBe('working');
  });
});
