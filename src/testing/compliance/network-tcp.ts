import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import type { ByteSocket } from '../../core/network.ts';
import { echoByRead, endedOrReset } from './network-bytes.ts';
import type { NetworkBench } from './network-world.ts';
import type { Test } from './suite.ts';

/** How TCP connections begin and end. */
export function tcpTests(test: Test<NetworkBench>): void {
  test('joins two ends that name each other', async (bench) => {
    const { client, server, listener } = await bench.connected();
    expect(client.remote).toEqual(listener.local);
    expect(server.local).toEqual(listener.local);
    expect(server.remote).toEqual(client.local);
  });

  test('connects from a given local port', async (bench) => {
    const listener = await bench.listen();
    const accepted = firstValueFrom(listener.connections$);
    const free = await bench.client.listen({});
    await free.close();
    await bench.connect(listener, free.local.port);
    expect((await accepted).remote.port).toBe(free.local.port);
  });

  test('opens several connections from one local port, then listens there', async (bench) => {
    const listeners = [await bench.listen(), await bench.listen()];
    for (const { connections$ } of listeners) connections$.subscribe(echoByRead);
    const free = await bench.client.listen({});
    await free.close();
    const sockets: ByteSocket[] = [];
    for (const listener of listeners) sockets.push(await bench.connect(listener, free.local.port));
    expect(sockets.map(({ local }) => local.port)).toEqual([free.local.port, free.local.port]);
    const again = await bench.client.listen({ port: free.local.port });
    bench.closeAfterwards(again);
    await expect(bench.connect(await bench.listen(), free.local.port)).rejects.toMatchObject({
      code: 'ERR_PORT_IN_USE',
    });
    for (const socket of sockets) {
      await socket.write(Uint8Array.of(5));
      expect([...(await socket.read())!]).toEqual([5]);
    }
  });

  test('writes nothing after end', async (bench) => {
    const { client } = await bench.connected();
    await client.end();
    await client.end();
    await expect(client.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('fails reads and writes of a destroyed socket, and lets the other side know', async (bench) => {
    const { client, server } = await bench.connected();
    const reading = client.read();
    client.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(client.read()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(client.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await client.end();
    await client.closed;
    await endedOrReset(server);
    await server.end();
    await server.closed;
  });

  test('fails the writes to a side that is gone', async (bench) => {
    const { client, server } = await bench.connected();
    server.destroy();
    const writing = async () => {
      for (let kibibytes = 0; kibibytes < 2 ** 16; kibibytes++) await client.write(new Uint8Array(1024));
    };
    await expect(writing()).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
    await client.closed;
  });

  test('refuses where nobody listens', async (bench) => {
    const listener = await bench.listen();
    await listener.close();
    await expect(bench.connect(listener)).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
  });

  test('ends an attempt when its signal aborts', async (bench) => {
    const { port } = (await bench.listen()).local;
    const before = bench.client.connect({ host: bench.address, port, signal: AbortSignal.abort() });
    await expect(before).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const controller = new AbortController();
    const during = bench.client.connect({ host: bench.address, port, signal: controller.signal });
    controller.abort();
    await expect(during).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('leaves a connection alone when the signal of its attempt aborts later', async (bench) => {
    const listener = await bench.listen();
    listener.connections$.subscribe(echoByRead);
    const controller = new AbortController();
    const { port } = listener.local;
    const client = await bench.client.connect({ host: bench.address, port, signal: controller.signal });
    bench.closeAfterwards({ close: () => client.destroy() });
    controller.abort();
    await client.write(Uint8Array.of(9));
    expect([...(await client.read())!]).toEqual([9]);
  });

  test('gives a port to one listener at a time, and frees it on close', async (bench) => {
    const { listener, client, server } = await bench.connected();
    await expect(bench.listen(listener.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    const rest = lastValueFrom(listener.connections$.pipe(toArray()));
    await listener.close();
    await listener.close();
    expect(await rest).toEqual([]);
    expect((await bench.listen(listener.local.port)).local).toEqual(listener.local);

    await client.write(Uint8Array.of(3));
    expect([...(await server.read())!]).toEqual([3]);
  });

  test('closes connections that nobody takes', async (bench) => {
    const listener = await bench.listen();
    await endedOrReset(await bench.connect(listener));
  });
}
