/**
 * What it costs to be watched by the inspector: an XState event, the time to connect and the throughput of a stream, of two peers over loopback in
 * one process; unobserved, observed while no hub is there, and observed by a hub with a page, which are a process of their own, as `sallyport inspect` is.
 * All in one run, by turns in random order, each when what the one before has left to tell was told; ratios are medians of those of each round.
 * CPU: of the process, for a whole connection with its peers and all that is told of it.
 * `npx tsx bench/inspector-cost.ts [connects] [transfers] [MiB]`: 100, 15 and 16 by default.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import WebSocket from 'ws';
import { createActor, createMachine } from 'xstate';
import { type Connection, createPeer, type PeerObserver } from '../src/index.ts';
import { type Inspector, observe, startHub } from '../src/inspector/index.ts';
import { nodeEnvironment, startServer } from '../src/node.ts';
import { echo } from '../src/streams/index.ts';

/** The hub and its page, until the measuring process has gone. */
async function serve(): Promise<void> {
  const hub = await startHub();
  const { host, origin, search } = new URL(hub.url);
  new WebSocket(`ws://${host}/view${search}`, { origin }).on('message', () => {});
  process.on('disconnect', () => process.exit());
  process.send!(hub.programUrl);
}

interface Variant {
  readonly name: string;
  readonly inspector: Inspector | undefined;
}

async function measure(): Promise<void> {
  const [connects = 100, transfers = 15, mebibytes = 16] = process.argv.slice(2).map(Number);
  const hub = fork(import.meta.filename, { execArgv: process.execArgv });
  const [programUrl] = (await once(hub, 'message')) as [string];
  const variants: readonly Variant[] = [
    { name: 'unobserved', inspector: undefined },
    { name: 'no hub', inspector: observe({ url: programUrl.replace(/:\d+/, ':9'), name: 'no hub' }) },
    { name: 'hub and page', inspector: observe({ url: programUrl, name: 'hub and page' }) },
  ];
  const loads: number[][] = [];
  const times = await byTurns(variants, connects, connectTime, loads);
  const columns = [
    ['us an event', await byTurns(variants, 10, eventCost)],
    ['connect, ms', times],
    ['CPU, ms', loads],
    ['MiB/s', await byTurns(variants, transfers, (variant, round) => throughput(variant, round, mebibytes))],
  ] as const;
  const heads = columns.flatMap(([head]) => [head, 'of unobserved']);
  console.log(`| | ${heads.join(' | ')} |\n|---|${heads.map(() => '---|').join('')}`);
  for (const [index, { name }] of variants.entries()) {
    const cells = columns.flatMap(([, rounds]) => [
      median(rounds.map((round) => round[index]!)).toFixed(1),
      median(rounds.map((round) => round[index]! / round[0]!)).toFixed(3),
    ]);
    console.log(`| ${[name, ...cells].join(' | ')} |`);
  }
  for (const { inspector } of variants) await inspector?.close();
  hub.disconnect();
}

/** For each round what each variant came to; and in `loads` its ms of CPU. */
async function byTurns(
  variants: readonly Variant[],
  rounds: number,
  run: (variant: Variant, round: number) => Promise<number>,
  loads: number[][] = [],
): Promise<readonly (readonly number[])[]> {
  const results: (readonly number[])[] = [];
  // The first three warm up.
  for (let round = -3; round < rounds; round++) {
    const [result, load]: [number[], number[]] = [[], []];
    const order = [...variants.keys()].sort(() => Math.random() - 0.5);
    for (const index of order) {
      const before = process.cpuUsage();
      result[index] = await run(variants[index]!, round);
      await new Promise((resolve) => setTimeout(resolve, SETTLING));
      const { user, system } = process.cpuUsage(before);
      load[index] = (user + system) / 1_000;
    }
    if (round < 0) continue;
    results.push(result);
    loads.push(load);
  }
  return results;
}

/** ms in which all is told. */
const SETTLING = 400;

const machine = createMachine({
  id: 'tick',
  initial: 'a',
  states: { a: { on: { go: 'b' } }, b: { on: { go: 'a' } } },
});

/** us, of events that come 2,000 a second at most, as a program's do. */
async function eventCost({ inspector }: Variant): Promise<number> {
  const actor = createActor(machine, inspector === undefined ? {} : { inspect: inspector.inspect }).start();
  const [batches, size] = [20, 100];
  let spent = 0;
  for (let batch = 0; batch < batches; batch++) {
    const began = performance.now();
    for (let i = 0; i < size; i++) actor.send({ type: 'go' });
    spent += performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  actor.stop();
  return (spent * 1_000) / (batches * size);
}

/** ms from the dial to the direct path and a stream. */
async function connectTime({ inspector }: Variant, round: number): Promise<number> {
  return await between(observerOf(inspector, round), async (connect) => {
    const began = performance.now();
    const connection = connect();
    await Promise.all([connection.openStream(), untilDirect(connection)]);
    return performance.now() - began;
  });
}

/** MiB/s of a stream there and back. */
async function throughput({ inspector }: Variant, round: number, mebibytes: number): Promise<number> {
  return await between(observerOf(inspector, round), async (connect) => {
    const connection = connect();
    const stream = await connection.openStream();
    await untilDirect(connection);
    const began = performance.now();
    const sending = (async () => {
      const chunk = Buffer.alloc(64 * 1_024);
      for (let sent = 0; sent < mebibytes * 2 ** 20; sent += chunk.length) await stream.write(chunk);
      await stream.end();
    })();
    for (let read = await stream.read(); read !== null; ) read = await stream.read();
    await sending;
    return mebibytes / ((performance.now() - began) / 1_000);
  });
}

type Observers = (who: string) => PeerObserver | undefined;

function observerOf(inspector: Inspector | undefined, round: number): Observers {
  return (who) => inspector?.peer(`${who} ${round}`);
}

/** A server, a listener that echoes, and a dialer, for as long as `use` takes. */
async function between(observer: Observers, use: (connect: () => Connection) => Promise<number>): Promise<number> {
  const server = await startServer({ port: 0, stunPort: 0 });
  const env = nodeEnvironment({ servers: [server.url], mapping: false });
  const peer = (who: string) => createPeer({ env, observer: observer(who) });
  const [listener, dialer] = await Promise.all([peer('listener'), peer('dialer')]);
  listener.incoming$.pipe(mergeMap(({ streams$ }) => streams$)).subscribe({
    next: (stream) => void echo(stream).subscribe({ error: ignoreEnd }),
    error: ignoreEnd,
  });
  const ticket = await listener.createTicket();
  const result = await use(() => dialer.connect(ticket));
  for (const one of [dialer, listener, server]) await one.close();
  return result;
}

/** The dialer has closed what it had: it was measured before. */
function ignoreEnd(): void {}

async function untilDirect({ path$ }: Connection): Promise<void> {
  await firstValueFrom(path$.pipe(filter((path) => path?.kind === 'direct')));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

if (process.send === undefined) await measure();
else await serve();
