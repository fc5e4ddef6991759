/**
 * A UDP echo server and three clients that talk to it at once, on loopback.
 * Subscribing to `udpSocket` binds a socket, unsubscribing closes it.
 *
 * Run: `npx tsx examples/udp-echo.ts`
 */
import { concatMap, firstValueFrom, from, map, merge, type Observable, switchMap, take, tap, timeout } from 'rxjs';
import { nodeNetwork } from '../src/adapters/node/index.ts';
import { type Endpoint, udpSocket } from '../src/streams/index.ts';

const network = nodeNetwork();
const loopback = { family: 4, address: '127.0.0.1' } as const;

const server = udpSocket(network, loopback)
  .pipe(
    tap((socket) => startClients(socket.local)),
    switchMap((socket) => socket.datagrams$.pipe(tap(({ data, from }) => socket.send(data, from)))),
  )
  .subscribe(({ data, from }) => console.log(`server: echoed ${data.length} bytes to port ${from.port}`));

function startClients(to: Endpoint): void {
  console.log(`server: bound to ${to.address}:${to.port}`);
  merge(...['Ada', 'Grace', 'Edsger'].map((name) => talk(name, to))).subscribe({
    next: (answer) => console.log(`client: the echo said "${answer}"`),
    complete: () => server.unsubscribe(),
  });
}

/** Sends three lines, each after the answer to the last one. A lost datagram is an error here; UDP does not send it again. */
function talk(name: string, to: Endpoint): Observable<string> {
  return udpSocket(network, loopback).pipe(
    switchMap((socket) =>
      from([`hello from ${name}`, `${name} again`, `goodbye from ${name}`]).pipe(
        concatMap((line) => {
          const answer = firstValueFrom(socket.datagrams$.pipe(timeout(2_000)));
          socket.send(Buffer.from(line), to);
          return answer;
        }),
      ),
    ),
    take(3),
    map(({ data }) => Buffer.from(data).toString()),
  );
}
