import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createWebSocketInspector, createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { type AnyStateMachine, assign, createActor, fromPromise, not, setup } from 'xstate';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { defaultFlow } from '../../src/index.ts';
import { type Hub, startHub } from '../../src/inspector/hub/hub.ts';
import { readStatelyDefinition, writeStatelyDefinition } from '../../src/inspector/stately/stately-definition.ts';
import { type StatelyInspectorOptions, statelyInspector } from '../../src/inspector/stately/stately-inspector.ts';
import { connectionMachine, leaseMachine, peerMachine } from '../../src/machines/index.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { defineChart } from '../../src/trace/define-chart.ts';
import { createWorld, untilPath } from '../peer/world.ts';
import { formsOf } from '../trace/lines.ts';
import { WatchingPage } from './watching-page.ts';

let hub: Hub;
let cleanups: (() => unknown)[];

beforeEach(async () => {
  hub = await startHub({ page: tmpdir() });
  cleanups = [() => hub.close()];
});

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

function watch(): WatchingPage {
  const page = new WatchingPage(hub.url);
  cleanups.push(() => page[Symbol.dispose]());
  return page;
}

function told(options: StatelyInspectorOptions) {
  const inspector = statelyInspector(options);
  cleanups.push(() => inspector.close());
  return inspector;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const door = setup({
  types: { context: {} as { readonly password: string; readonly opened: number } },
  actors: { closing: fromPromise(async () => 'closed') },
  guards: { isLocked: () => false },
  delays: { patience: 60_000 },
}).createMachine({
  id: 'door',
  context: { password: 'open sesame', opened: 0 },
  initial: 'shut',
  states: {
    shut: {
      on: {
        push: {
          target: 'open',
          guard: not('isLocked'),
          actions: assign({ opened: ({ context }) => context.opened + 1 }),
        },
      },
    },
    open: { on: { let: 'closing' }, after: { patience: 'closing', 90000: 'gone' } },
    closing: { invoke: { id: 'spring', src: 'closing', onDone: 'shut' } },
    gone: { type: 'final' },
  },
});

describe('a definition for Stately', () => {
  const machines: [string, AnyStateMachine][] = [
    ['connection', connectionMachine],
    ['peer', peerMachine],
    ['lease', leaseMachine],
    ['punch', defaultFlow.punch!],
    ['door', door],
  ];

  it.each(machines)('says all that the chart of %s does', (_, machine) => {
    const chart = defineChart(machine);
    expect(readStatelyDefinition(writeStatelyDefinition(chart))).toEqual(chart);
  });

  it.each(['{', '5', '{"id":"x:1"}', '{"states":{"a":{"always":"b"}}}'])('is none: %s', (text) => {
    expect(readStatelyDefinition(text)).toBeUndefined();
  });

  it('draws a state whose content the client has cut off', () => {
    const chart = readStatelyDefinition('{"id":"cut","initial":"a","states":{"a":"[Object]"}}');
    expect(chart?.root.states).toEqual([{ id: 'a', key: 'a', type: 'atomic', edges: [], states: [] }]);
  });
});

describe('a hub', () => {
  it('shows what a stock client of @statelyai/inspect tells', async () => {
    const page = watch();
    const client = createWebSocketInspector({ url: hub.programUrl });
    cleanups.push(() => client.stop());
    const actor = createActor(door, { id: 'front', inspect: client.inspect }).start();
    actor.send({ type: 'push' });
    actor.send({ type: 'let' });
    await page.untilRecord((record) => record.what === 'event' && record.event.type === 'xstate.done.actor.spring');
    expect(page.frames[1]).toMatchObject({ type: 'source', title: '@statelyai/inspect', live: true });
    const [machine] = page.records.filter(({ what }) => what === 'machine');
    // The client sorts the keys of what it tells, and has no words for guards that XState makes.
    expect(machine).toMatchObject({ machine: 'door', definition: { id: 'door', root: { initial: 'shut' } } });
    expect(page.records.filter(({ what }) => what === 'actor')).toMatchObject([
      { who: 'program 1', actor: 'front', machine: 'door' },
      { actor: 'front/spring', parent: 'front' },
    ]);
    const states = page.records.flatMap((record) =>
      record.what === 'event' && record.actor === 'front' ? [[record.event.type, record.state]] : [],
    );
    expect(states).toEqual([
      ['xstate.init', 'shut'],
      ['push', 'open'],
      ['let', 'closing'],
      ['xstate.done.actor.spring', 'shut'],
    ]);
    expect(page.lines.join()).toContain('[redacted]');
    expect(page.lines.join()).not.toContain('sesame');
    actor.stop();
  });

  it('shows what is told by hand, also of an actor that was not announced', async () => {
    const page = watch();
    const client = createWebSocketInspector({ url: hub.programUrl });
    cleanups.push(() => client.stop());
    client.actor('lamp', { value: 'dark', context: { watts: 4 } });
    client.event('lamp', 'press');
    client.snapshot('lamp', { value: 'lit', status: 'done' });
    client.snapshot('fan', { value: 'off' }, { event: { type: 'stop' } });
    await page.untilRecord((record) => record.what === 'event' && record.actor === 'fan');
    expect(page.records).toMatchObject([
      { what: 'actor', actor: 'lamp', state: 'dark', context: { watts: 4 } },
      { what: 'event', actor: 'lamp', event: { type: 'press' } },
      { what: 'event', actor: 'lamp', event: { type: 'snapshot' }, state: 'lit', status: 'done' },
      { what: 'actor', actor: 'fan' },
      { what: 'event', actor: 'fan', event: { type: 'stop' }, state: 'off' },
    ]);
  });

  it.each([
    ['names no actor', {}],
    ['has no time', { sessionId: 'x:0', createdAt: 'now' }],
    ['has no event', { sessionId: 'x:0', createdAt: '1' }],
    [
      'has a definition that is no text',
      { type: '@xstate.actor', sessionId: 'x:0', createdAt: '1', name: 'a', snapshot: {}, definition: {} },
    ],
  ])('closes on a frame that %s', async (problem, frame) => {
    const socket = new WebSocket(hub.programUrl);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: '@xstate.event', ...frame }));
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([1008, `a frame ${problem}`]);
  });
});

describe('statelyInspector', () => {
  it('tells a stock receiver, one that comes later what is now', async () => {
    const port = await freePort();
    const url = `ws://localhost:${port}`;
    const { inspect } = told({ url });
    const actor = createActor(door, { id: 'front', inspect }).start();
    actor.send({ type: 'push' });
    const first = createInspectorServer({ port, autoOpen: false });
    const seen: StatelyInspectionEvent[] = [];
    await receive(url, seen, (event) => event.type === '@xstate.snapshot' && event.event.type === 'push');
    const [announced, , began] = seen;
    expect(announced).toMatchObject({ type: '@xstate.actor', name: 'front', sessionId: actor.sessionId });
    expect(Object.keys(JSON.parse((announced as { definition: string }).definition).states)).toEqual([
      'shut',
      'open',
      'closing',
      'gone',
    ]);
    expect(began).toMatchObject({
      type: '@xstate.snapshot',
      snapshot: { status: 'active', value: 'shut', context: { password: '[redacted]', opened: 0 } },
    });
    first.stop();
    actor.stop();
  });

  it('finds a receiver again that it has lost, and tells it what is now', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    const joined = once(server, 'connection');
    const { inspect } = told({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const actor = createActor(door, { id: 'front', inspect }).start();
    const [first] = (await joined) as [WebSocket];
    const joinedAgain = once(server, 'connection');
    first.terminate();
    actor.send({ type: 'push' });
    const [second] = (await joinedAgain) as [WebSocket];
    const [frame] = await once(second, 'message');
    expect(JSON.parse(String(frame))).toMatchObject({
      type: '@xstate.actor',
      name: 'front',
      snapshot: { status: 'active', value: 'open' },
    });
    actor.stop();
    second.terminate();
  });

  it('tells a hub nothing secret of a real pair of peers', async () => {
    const page = watch();
    const { inspect } = told({ url: hub.programUrl });
    await using world = createWorld();
    const identities = [createIdentity(), createIdentity()] as const;
    const listener = await world.inhabitant({ identity: identities[0], observer: { inspect } });
    const dialer = await world.inhabitant({ identity: identities[1], observer: { inspect } });
    const ticket = await listener.peer.createTicket();
    const connection = dialer.peer.connect(ticket);
    await connection.ready;
    await untilPath(connection, 'direct');
    await connection.close();
    await page.untilRecord(
      (record) => record.what === 'event' && record.actor.startsWith('connection') && record.status === 'done',
    );
    expect(page.records.flatMap((record) => (record.what === 'machine' ? [record.machine] : []))).toEqual(
      expect.arrayContaining(['peer', 'connection']),
    );
    const secrets = [ticket, decodeTicket(ticket).secret, connection.id];
    for (const { privateKeyPem } of identities) secrets.push(privateKeyPem, privateKeyPem.split('\n')[1]!);
    const text = page.lines.join('\n');
    expect(secrets.flatMap(formsOf).filter((form) => text.includes(form))).toEqual([]);
  });

  it.each(['wss://stately.example', 'http://localhost:8080', 'nonsense'])('goes to no other machine: %s', (url) => {
    expect(() => statelyInspector({ url })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});

/** Until one matches; all are in `seen`. */
async function receive(
  server: string,
  seen: StatelyInspectionEvent[],
  isLast: (event: StatelyInspectionEvent) => boolean,
): Promise<void> {
  await new Promise<void>((resolve) => {
    createWebSocketReceiver({ server }).subscribe((event) => {
      seen.push(event);
      if (isLast(event)) resolve();
    });
  });
}
