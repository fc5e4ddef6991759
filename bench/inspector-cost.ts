/**
 * What it costs to be watched by the inspector: an XState event, the time to connect and the throughput of a stream, of two peers over loopback;
 * unobserved, observed while no hub is there, and observed by a hub with a page. All in one run, by turns, as medians.
 * `npx tsx bench/inspector-cost.ts [rounds] [MiB]`: 15 and 16 by default.
 */
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import WebSocket from 'ws';
import { createActor, createMachine, type InspectionEvent } from 'xstate';
import { createPeer, type PeerObserver } from '../src/index.ts';
import { type Inspector, observe, startHub } from '../src/inspector/index.ts';
import { nodeEnvironment, startServer } from '../src/node.ts';
import { echo } from '../src/streams/index.ts';

const [rounds = 15, mebibytes = 16] = process.argv.slice(2).map(Number);

const hub = await startHub();
const { host, origin, search } = new URL(hub.url);
const page = new WebSocket(`ws://${host}/view${search}`, { origin });
page.on('message', () => {});
const nowhere = hub.programUrl.replace(/:\d+/, ':9');

interface Variant {
  readonly name: string;
  readonly inspector: Inspector | undefined;
  readonly event: number[];
  readonly connect: number[];
  readonly throughput: number[];
}
const variant = (name: string, url?: string): Variant => ({
  name,
  inspector: url === undefined ? undefined : observe({ url, name }),
  event: [],
  connect: [],
  throughput: [],
});
const variants = [variant('unobserved'), variant('no hub', nowhere), variant('hub and page', hub.programUrl)];

const machine = createMachine({
  id: 'tick',
  initial: 'a',
  states: { a: { on: { go: 'b' } }, b: { on: { go: 'a' } } },
});

/** us an event, of events that come 2,000 a second at most, as a program's do. */
async function eventCost(inspect: ((event: InspectionEvent) => void) | undefined): Promise<number> {
  const actor = createActor(machine, inspect === undefined ? {} : { inspect }).start();
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

/** ms from the dial to the direct path, and MiB/s of a stream there and back. */
async function connectAndSend(
  observer: ((who: string) => PeerObserver) | undefined,
): Promise<{ connect: number; throughput: number }> {
  const server = await startServer({ port: 0, stunPort: 0 });
  const env = nodeEnvironment({ servers: [server.url], mapping: false });
  const peer = (who: string) => createPeer({ env, observer: observer?.(who) });
  const [listener, dialer] = await Promise.all([peer('listener'), peer('dialer')]);
  listener.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
  const ticket = await listener.createTicket();
  const began = performance.now();
  const connection = dialer.connect(ticket);
  const stream = await connection.openStream();
  await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
  const connect = performance.now() - began;
  const sendingSince = performance.now();
  const sending = (async () => {
    const chunk = Buffer.alloc(64 * 1_024);
    for (let sent = 0; sent < mebibytes * 2 ** 20; sent += chunk.length) await stream.write(chunk);
    await stream.end();
  })();
  for (let read = await stream.read(); read !== null; ) read = await stream.read();
  await sending;
  const throughput = mebibytes / ((performance.now() - sendingSince) / 1_000);
  for (const one of [dialer, listener, server]) await one.close();
  return { connect, throughput };
}

for (let round = -1; round < rounds; round++) {
  for (const { inspector, event, connect, throughput } of variants) {
    const us = await eventCost(inspector?.inspect);
    const run = await connectAndSend(inspector && ((who) => inspector.peer(`${who} ${round}`)));
    // The first round warms up.
    if (round < 0) continue;
    event.push(us);
    connect.push(run.connect);
    throughput.push(run.throughput);
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const [plain] = variants;
console.log('| | us an event | connect, ms | of unobserved | MiB/s | of unobserved |\n|---|---|---|---|---|---|');
for (const { name, event, connect, throughput } of variants) {
  const ratio = (mine: readonly number[], base: readonly number[]): string => (median(mine) / median(base)).toFixed(3);
  console.log(
    `| ${name} | ${median(event).toFixed(1)} | ${median(connect).toFixed(1)} | ${ratio(connect, plain!.connect)} | ${median(throughput).toFixed(1)} | ${ratio(throughput, plain!.throughput)} |`,
  );
}
for (const { inspector } of variants) await inspector?.close();
page.terminate();
await hub.close();
