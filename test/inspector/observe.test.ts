import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { assign, createActor, setup } from 'xstate';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { CaptureRing } from '../../src/inspector/capture-ring.ts';
import { type Hub, startHub } from '../../src/inspector/hub/hub.ts';
import { type Inspector, observe } from '../../src/inspector/observe.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { createWorld, untilPath } from '../peer/world.ts';
import { formsOf } from '../trace/lines.ts';
import { WatchingPage } from './watching-page.ts';

let hub: Hub;
let inspectors: Inspector[];
let pages: WatchingPage[];

beforeEach(async () => {
  inspectors = [];
  pages = [];
  hub = await startHub({ page: tmpdir() });
});

afterEach(async () => {
  for (const inspector of inspectors) await inspector.close();
  for (const page of pages) page[Symbol.dispose]();
  await hub.close();
});

function observed(url = hub.programUrl): Inspector {
  const inspector = observe({ url, name: 'test' });
  inspectors.push(inspector);
  return inspector;
}

function watch(): WatchingPage {
  const page = new WatchingPage(hub.url);
  pages.push(page);
  return page;
}

/** Texts that come in, from now on. */
function messages(socket: WebSocket): AsyncIterator<string> {
  const waiting: string[] = [];
  let wake = (): void => {};
  socket.on('message', (data) => {
    waiting.push(String(data));
    wake();
  });
  return {
    async next() {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return { value: waiting.shift()!, done: false };
    },
  };
}

const counter = setup({ types: { context: {} as { readonly count: number } } }).createMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'even',
  on: { counted: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
  states: { even: { on: { turned: 'odd' } }, odd: { on: { turned: 'even' } } },
});

describe('an inspector', () => {
  it('tells a hub all that was seen since before the hub was there, with contexts', async () => {
    const page = watch();
    const actor = createActor(counter, { inspect: observed().inspect }).start();
    actor.send({ type: 'turned' });
    actor.send({ type: 'counted' });
    await page.untilRecord((record) => record.what === 'event' && record.event.type === 'counted');
    const told = page.records.map((record) => ('what' in record && 'edges' in record ? record.edges : record.what));
    expect(told).toEqual(['machine', 'actor', ['even#0'], ['#0']]);
    expect(page.records.at(-1)).toMatchObject({ who: 'test', actor: 'counter', context: { count: 1 } });
    actor.stop();
  });

  it('finds a hub again that it has lost, and tells it what is now', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const joined = async (): Promise<{ socket: WebSocket; frames: AsyncIterator<string> }> => {
      const [socket] = (await once(server, 'connection')) as [WebSocket];
      return { socket, frames: messages(socket) };
    };
    const first = joined();
    const inspector = observed(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/program?token=x`);
    const actor = createActor(counter, { inspect: inspector.inspect }).start();
    const { socket, frames } = await first;
    const hello = { format: 'sallyport-inspect', program: { name: 'test', pid: process.pid } };
    expect(JSON.parse((await frames.next()).value)).toMatchObject(hello);
    const second = joined();
    socket.terminate();
    actor.send({ type: 'turned' });
    const { frames: later } = await second;
    expect(JSON.parse((await later.next()).value)).toMatchObject(hello);
    const { lines } = JSON.parse((await later.next()).value) as { lines: string[] };
    expect(lines.map((line) => JSON.parse(line)).filter(({ what }) => what !== 'gap')).toMatchObject([
      { what: 'machine', machine: 'counter' },
      { what: 'actor', actor: 'counter', state: 'odd', context: { count: 0 } },
    ]);
    actor.stop();
    for (const client of server.clients) client.terminate();
    server.close();
  });

  it('loses the oldest of too much, says how much, and then tells what is now', async () => {
    const inspector = observed();
    const actor = createActor(counter, { inspect: inspector.inspect }).start();
    // In one turn: nobody can be told meanwhile.
    for (let i = 0; i < 12_001; i++) actor.send({ type: 'turned' });
    const page = watch();
    const gap = await page.untilRecord(({ what }) => what === 'gap');
    expect(gap).toMatchObject({ records: expect.any(Number) });
    const last = await page.untilRecord((record) => 'state' in record && record.state === 'odd');
    expect(last).toMatchObject({ actor: 'counter', machine: 'counter' });
    actor.stop();
  });

  it('has no secret of a real pair of peers in what it tells', async () => {
    const page = watch();
    const inspector = observed();
    await using world = createWorld();
    const [one, two] = [createIdentity(), createIdentity()];
    const listener = await world.inhabitant({ identity: one, observer: inspector.peer('listener') });
    const dialer = await world.inhabitant({ identity: two, observer: inspector.peer('dialer') });
    const ticket = await listener.peer.createTicket();
    const connection = dialer.peer.connect(ticket);
    await connection.ready;
    await untilPath(connection, 'direct');
    const stream = await connection.openStream();
    await stream.write(Buffer.from(SAID));
    await connection.close();
    await page.untilRecord((record) => record.what === 'verdict' && record.who === 'dialer');
    for (const what of ['chart', 'event', 'path', 'pairs', 'candidate', 'behavior', 'signal', 'packet']) {
      expect(page.records.map((record) => record.what)).toContain(what);
    }
    const secrets = [ticket, decodeTicket(ticket).secret, SAID, connection.id];
    for (const { privateKeyPem } of [one, two]) secrets.push(privateKeyPem, privateKeyPem.split('\n')[1]!);
    const text = page.lines.join('\n');
    expect(secrets.flatMap(formsOf).filter((form) => text.includes(form))).toEqual([]);
  });

  it('keeps no process alive, with a hub and without one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspected-'));
    const program = join(folder, 'program.ts');
    const inspector = resolve(import.meta.dirname, '../../src/inspector/index.ts');
    await writeFile(
      program,
      `import { observe, statelyInspector } from ${JSON.stringify(inspector)};
       const inspector = observe({ url: process.argv[2]!, name: 'short' });
       statelyInspector({ url: process.argv[2]! });
       inspector.peer('me').log!('came', {});
       setTimeout(() => console.log('done'), 2_000);`,
    );
    const cwd = resolve(import.meta.dirname, '../..');
    const urls = [hub.programUrl, 'ws://127.0.0.1:9/program?token=x'];
    const codes = urls.map(async (url) => {
      const [code] = await once(spawn(process.execPath, ['--import', 'tsx', program, url], { cwd }), 'close');
      return code;
    });
    expect(await Promise.all(codes)).toEqual([0, 0]);
    await watch().untilRecord((record) => record.what === 'log' && record.event === 'came');
    await rm(folder, { recursive: true });
  });

  it.each([
    'http://127.0.0.1:1/',
    'ws://evil.example/program?token=sesame',
    'ws://127.0.0.1.evil.example/',
    'nonsense',
  ])('goes to no hub but one of this machine: %s', (url) => {
    expect(() => observe({ url, name: 'test' })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    expect(() => observe({ url, name: 'test' })).not.toThrow(/sesame/);
  });
});

describe('a ring', () => {
  it('gives the oldest first, and counts what it has lost', () => {
    const ring = new CaptureRing<number>(3);
    for (const entry of [1, 2, 3, 4, 5]) ring.push(entry);
    expect([ring.length, ring.takeLost(), ring.takeLost()]).toEqual([3, 2, 0]);
    expect([ring.shift(), ring.shift()]).toEqual([3, 4]);
    ring.push(6);
    expect([ring.shift(), ring.shift(), ring.shift()]).toEqual([5, 6, undefined]);
    ring.push(7);
    ring.clear();
    ring.lose();
    expect([ring.length, ring.takeLost()]).toEqual([0, 2]);
  });
});

const SAID = 'the words that were said over the stream';
