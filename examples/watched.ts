/**
 * Two peers and a chart of the program's own, watched on a page of this machine for some seconds. Run: `npx tsx examples/watched.ts 60`, and open
 * the page. With `sallyport inspect` beside it, the hub would be a program of its own, and this one would only `observe`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { createPeer } from 'sallyport';
import { observe, startHub } from 'sallyport/inspector';
import { nodeEnvironment, startServer } from 'sallyport/node';
import { echo } from 'sallyport/streams';
import { createActor, createMachine } from 'xstate';

const seconds = Number(process.argv[2] ?? 0);

const hub = await startHub();
console.log(`page: ${hub.url}`);
const inspector = observe({ url: hub.programUrl, name: 'watched' });

const conversation = createActor(
  createMachine({
    id: 'conversation',
    initial: 'silent',
    states: { silent: { on: { say: 'waiting' } }, waiting: { on: { heard: 'answered' } }, answered: { type: 'final' } },
  }),
  { inspect: inspector.inspect },
).start();

const server = await startServer({ port: 0, stunPort: 0 });
const env = nodeEnvironment({ servers: [server.url] });
const listener = await createPeer({ env, observer: inspector.peer('listener') });
listener.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
const dialer = await createPeer({ env, observer: inspector.peer('dialer') });

const connection = dialer.connect(await listener.createTicket());
const stream = await connection.openStream();
conversation.send({ type: 'say' });
await stream.write(Buffer.from('hello'));
console.log(`echo: ${Buffer.from((await stream.read())!)}`);
conversation.send({ type: 'heard' });
await stream.end();

const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
console.log(`path: ${path?.kind}, ${path?.transport}`);
await delay(seconds * 1_000);
for (const one of [dialer, listener, server, inspector, hub]) await one.close();
