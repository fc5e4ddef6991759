/** A rendezvous server and two peers in one process: a ticket, a connection, an echo. Run: `npx tsx examples/two-peers.ts` */
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { createPeer } from 'sallyport';
import { nodeEnvironment, startServer } from 'sallyport/node';
import { echo } from 'sallyport/streams';

const server = await startServer({ port: 0, stunPort: 0 });
const env = nodeEnvironment({ servers: [server.url] });

const listener = await createPeer({ env });
listener.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
const ticket = await listener.createTicket();

const dialer = await createPeer({ env });
const connection = dialer.connect(ticket);
const stream = await connection.openStream();
await stream.write(Buffer.from('hello'));
await stream.end();
for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read())
  console.log(`echo: ${Buffer.from(chunk)}`);

const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
console.log(`path: ${path?.kind}, ${path?.transport}`);
for (const one of [dialer, listener, server]) await one.close();
