import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { expect } from 'vitest';
import { endpoint } from '../../core/endpoint.ts';
import type { NetworkBench } from './network-world.ts';
import type { Test } from './suite.ts';

/** What every `DatagramSocket` owes its users. */
export function udpTests(test: Test<NetworkBench>): void {
  test('binds any free port, and says which', async (bench) => {
    const [first, second] = [await bench.udp(bench.server), await bench.udp(bench.server)];
    expect(first.local).toMatchObject({ address: bench.address, family: bench.family });
    expect(first.local.port).toBeGreaterThan(0);
    expect(second.local.port).not.toBe(first.local.port);
  });

  test('carries datagrams both ways and names their source', async (bench) => {
    const [server, client] = [await bench.udp(bench.server), await bench.udp(bench.client)];
    server.datagrams$.subscribe(({ data, from }) => server.send(Uint8Array.of(...data, 0xff), from));
    const answer = firstValueFrom(client.datagrams$.pipe(map(({ data, from }) => ({ data: [...data], from }))));
    expect(client.send(Uint8Array.of(1, 2, 3), server.local)).toBe(true);
    expect(await answer).toEqual({ data: [1, 2, 3, 0xff], from: server.local });
  });

  for (const length of [0, 1, 1200]) {
    test(`keeps a datagram of ${length} bytes whole`, async (bench) => {
      const [server, client] = [await bench.udp(bench.server), await bench.udp(bench.client)];
      const sent = Uint8Array.from({ length }, (_, i) => i);
      const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => Uint8Array.from(data))));
      client.send(sent, server.local);
      expect(await received).toEqual(sent);
    });
  }

  test('tells many sources apart', async (bench) => {
    const server = await bench.udp(bench.server);
    server.datagrams$.subscribe(({ data, from }) => server.send(data, from));
    const clients = await Promise.all(Array.from({ length: 100 }, () => bench.udp(bench.client)));
    const answers = clients.map((client, i) => {
      const answer = lastValueFrom(
        client.datagrams$.pipe(
          take(3),
          map(({ data }) => data[0]),
          toArray(),
        ),
      );
      for (let message = 0; message < 3; message++) client.send(Uint8Array.of(i), server.local);
      return answer;
    });
    expect(await Promise.all(answers)).toEqual(clients.map((_, i) => [i, i, i]));
  });

  test('survives datagrams that nobody takes', async (bench) => {
    const [server, client, gone] = [
      await bench.udp(bench.server),
      await bench.udp(bench.client),
      await bench.udp(bench.server),
    ];
    gone.close();
    for (let i = 0; i < 10; i++) client.send(Uint8Array.of(i), gone.local);
    const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
    client.send(Uint8Array.of(42), server.local);
    expect(await received).toBe(42);
  });

  test('survives a datagram that is too long for the network', async (bench) => {
    const [server, client] = [await bench.udp(bench.server), await bench.udp(bench.client)];
    const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
    client.send(new Uint8Array(70_000), server.local);
    client.send(Uint8Array.of(42), server.local);
    expect(await received).toBe(42);
  });

  test('drops at once what cannot be addressed', async (bench) => {
    const socket = await bench.udp(bench.client);
    const otherFamily = bench.family === 4 ? '::1' : '127.0.0.1';
    expect(socket.send(Uint8Array.of(1), endpoint(otherFamily, 9))).toBe(false);
    expect(socket.send(Uint8Array.of(1), endpoint(bench.address, 0))).toBe(false);
  });

  test('completes its datagrams on close, and drops what is sent afterwards', async (bench) => {
    const socket = await bench.udp(bench.server);
    const rest = lastValueFrom(socket.datagrams$.pipe(toArray()));
    socket.close();
    socket.close();
    expect(await rest).toEqual([]);
    expect(socket.send(Uint8Array.of(1), endpoint(bench.address, 9))).toBe(false);
  });

  test('gives a port to one socket at a time', async (bench) => {
    const first = await bench.udp(bench.server);
    await expect(bench.udp(bench.server, first.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    first.close();
    expect((await bench.udp(bench.server, first.local.port)).local).toEqual(first.local);
  });
}
