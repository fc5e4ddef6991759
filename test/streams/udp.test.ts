import { lastValueFrom, map, type Observable, switchMap, take, tap, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Datagram } from '../../src/core/datagram.ts';
import type { DatagramSocket, Network } from '../../src/core/network.ts';
import { udpSocket } from '../../src/streams/index.ts';

const network = nodeNetwork();
const loopback = { family: 4, address: '127.0.0.1' } as const;

/** Runs `use` with a socket until the test is finished, and gives the socket. */
function opened(use: (socket: DatagramSocket) => Observable<unknown>): Promise<DatagramSocket> {
  return new Promise((resolve, error) => {
    const subscription = udpSocket(network, loopback)
      .pipe(
        tap((socket) => resolve(socket)),
        switchMap(use),
      )
      .subscribe({ error });
    onTestFinished(() => subscription.unsubscribe());
  });
}

const echoDatagrams = (socket: DatagramSocket): Observable<Datagram> =>
  socket.datagrams$.pipe(tap(({ data, from }) => socket.send(data, from)));

describe('udpSocket', () => {
  it('echoes to a hundred clients at once', async () => {
    const server = await opened(echoDatagrams);
    const conversation = (i: number): Promise<string[]> => {
      const answers$ = udpSocket(network, loopback).pipe(
        switchMap((socket) => {
          const say = (message: number) => socket.send(Buffer.from(`${i}.${message}`), server.local);
          say(0);
          return socket.datagrams$.pipe(
            map(({ data }, message) => {
              say(message + 1);
              return Buffer.from(data).toString();
            }),
          );
        }),
        take(5),
        toArray(),
      );
      return lastValueFrom(answers$);
    };
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => conversation(i)));
    expect(answers).toEqual(answers.map((_, i) => [0, 1, 2, 3, 4].map((message) => `${i}.${message}`)));
  });

  it('closes the socket when unsubscribed', async () => {
    const sockets: DatagramSocket[] = [];
    await lastValueFrom(
      udpSocket(network, loopback).pipe(
        tap((socket) => sockets.push(socket)),
        take(1),
      ),
    );
    const { local, send } = sockets[0]!;
    expect(send(Uint8Array.of(1), local)).toBe(false);
    const again = await network.udp({ ...loopback, port: local.port });
    again.close();
  });

  it('closes the socket when unsubscribed while it opens', async () => {
    let finish = (_: DatagramSocket): void => {};
    const slow: Network = { ...network, udp: () => new Promise((resolve) => (finish = resolve)) };
    const seen: DatagramSocket[] = [];
    udpSocket(slow, loopback)
      .subscribe((socket) => seen.push(socket))
      .unsubscribe();
    const socket = await network.udp(loopback);
    const ended = lastValueFrom(socket.datagrams$.pipe(toArray()));
    finish(socket);
    expect(await ended).toEqual([]);
    expect(seen).toEqual([]);
  });

  it('fails when the port is taken', async () => {
    const { port } = (await opened(echoDatagrams)).local;
    const second = lastValueFrom(udpSocket(network, { ...loopback, port }));
    await expect(second).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
  });

  it('binds afresh for each subscriber', async () => {
    const ports$ = udpSocket(network, loopback).pipe(
      map(({ local }) => local.port),
      take(1),
    );
    for (let i = 0; i < 3; i++) expect(await lastValueFrom(ports$)).toBeGreaterThan(0);
  });
});
