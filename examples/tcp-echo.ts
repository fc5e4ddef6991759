/**
 * A TCP echo server and three clients that talk to it at once, on loopback.
 * The server reads no faster than a client takes its answers, and one client's failure concerns nobody else.
 *
 * Run: `npx tsx examples/tcp-echo.ts`
 */
import { concatMap, map, merge, mergeMap, type Observable, reduce } from 'rxjs';
import { nodeNetwork } from '../src/adapters/node/index.ts';
import { eachConnection, echo, tcpClient, tcpServer } from '../src/streams/index.ts';

const network = nodeNetwork();
const host = '127.0.0.1';

const server = tcpServer(network, { address: host, onListening: ({ port }) => startClients(port) })
  .pipe(eachConnection(echo, (error, { remote }) => console.error(`client at port ${remote.port} failed:`, error)))
  .subscribe((length) => console.log(`server: echoed ${length} bytes`));

function startClients(port: number): void {
  console.log(`server: listening on ${host}:${port}`);
  merge(...['Ada', 'Grace', 'Edsger'].map((name) => talk(name, port))).subscribe({
    next: (answer) => console.log(`client: the echo said "${answer}"`),
    complete: () => server.unsubscribe(),
  });
}

/** Sends a few lines, half-closes, and gives all that came back. */
function talk(name: string, port: number): Observable<string> {
  return tcpClient(network, { host, port }).pipe(
    mergeMap(async (socket) => {
      for (const line of ['hello', `I am ${name}`, 'goodbye']) await socket.write(Buffer.from(`${line}; `));
      await socket.end();
      return socket;
    }),
    concatMap((socket) => socket.bytes$),
    reduce((all, bytes) => Buffer.concat([all, bytes]), Buffer.alloc(0)),
    map((all) => all.toString()),
  );
}
