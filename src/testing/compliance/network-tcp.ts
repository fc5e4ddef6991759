import { setImmediate as turn } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ByteSocket } from '../../core/network.ts';
import type { NetworkWorld } from './network-world.ts';

/** What every `ByteSocket` and `ByteListener` owes its users. */
export function tcpCompliance(world: NetworkWorld): void {
  describe('TCP', () => {
    it('joins two ends that name each other', async () => {
      const { client, server, listener } = await world.connected();
      expect(client.remote).toEqual(listener.local);
      expect(server.local).toEqual(listener.local);
      expect(server.remote).toEqual(client.local);
    });

    it('connects from a given local port', async () => {
      const listener = await world.listen();
      const accepted = firstValueFrom(listener.connections$);
      const free = await world.client.listen({});
      await free.close();
      await world.connect(listener, free.local.port);
      expect((await accepted).remote.port).toBe(free.local.port);
    });

    it('carries bytes both ways, in order, to whoever reads', async () => {
      const { client, server } = await world.connected();
      const [up, down] = [pattern(300_000, 7), pattern(200_000, 11)];
      const sent = Promise.all([client.write(up).then(client.end), server.write(down).then(server.end)]);
      const [atServer, atClient] = await Promise.all([readAll(server), readAll(client)]);
      await sent;
      expect(Buffer.compare(atServer, up)).toBe(0);
      expect(Buffer.compare(atClient, down)).toBe(0);
      await Promise.all([client.closed, server.closed]);
    });

    it('pushes the same bytes to a subscriber', async () => {
      const { client, server } = await world.connected();
      const received = lastValueFrom(server.bytes$.pipe(toArray()));
      const sent = pattern(300_000, 7);
      await client.write(sent);
      await client.end();
      expect(Buffer.compare(Buffer.concat(await received), sent)).toBe(0);
    });

    it('serves many clients at once, each with its own bytes', async () => {
      const listener = await world.listen();
      listener.connections$.subscribe(echoByRead);
      const answers = Array.from({ length: 100 }, async (_, i) => {
        const client = await world.connect(listener);
        for (let message = 0; message < 3; message++) await client.write(Buffer.from(`${i}.${message};`));
        await client.end();
        return (await readAll(client)).toString();
      });
      expect(await Promise.all(answers)).toEqual(answers.map((_, i) => `${i}.0;${i}.1;${i}.2;`));
    });

    it('half-closes from the client: the server reads the end and still writes', async () => {
      const { client, server } = await world.connected();
      await halfClose(client, server);
    });

    it('half-closes from the server: the client reads the end and still writes', async () => {
      const { client, server } = await world.connected();
      await halfClose(server, client);
    });

    it('writes nothing after end', async () => {
      const { client } = await world.connected();
      await client.end();
      await client.end();
      await expect(client.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    });

    it('fails reads and writes of a destroyed socket, and lets the other side know', async () => {
      const { client, server } = await world.connected();
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

    it('fails the writes to a side that is gone', async () => {
      const { client, server } = await world.connected();
      server.destroy();
      const writing = async () => {
        for (;;) await client.write(new Uint8Array(1024));
      };
      await expect(writing()).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
      await client.closed;
    });

    it('has one reader at a time', async () => {
      const { client, server } = await world.connected();
      const first = server.read();
      await expect(server.read()).rejects.toMatchObject({ code: 'ERR_BUSY' });
      await client.write(Uint8Array.of(1));
      expect([...(await first)!]).toEqual([1]);
    });

    it('destroys the socket when its subscriber leaves before the end', async () => {
      const { client, server } = await world.connected();
      server.bytes$.subscribe().unsubscribe();
      await server.closed;
      await endedOrReset(client);
    });

    it('keeps the socket when its subscriber saw the end', async () => {
      const { client, server } = await world.connected();
      const seen = lastValueFrom(server.bytes$.pipe(toArray()));
      await client.end();
      await seen;
      await server.write(Uint8Array.of(5));
      expect([...(await client.read())!]).toEqual([5]);
    });

    it('says how much the system has not taken yet', async () => {
      const { client, server } = await world.connected();
      await client.write(Uint8Array.of(1));
      expect(client.queued).toBe(0);
      const bulk = new Uint8Array(64 * 2 ** 20);
      const written = client.write(bulk);
      expect(client.queued).toBeGreaterThan(bulk.length / 2);
      const read = readAll(server);
      await written;
      expect(client.queued).toBe(0);
      await client.end();
      expect(await read).toHaveLength(bulk.length + 1);
    });

    it('slows the writer down to the speed of the reader', async () => {
      const { client, server } = await world.connected();
      const mebibyte = new Uint8Array(2 ** 20);
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 64; i++) {
          await client.write(mebibyte);
          written += mebibyte.length;
        }
        await client.end();
      })();
      for (let i = 0; i < 500; i++) await turn();

      // What may be under way: the kernel's buffers of both ends and the read-ahead, in all about half of the whole.
      let [read, most] = [0, written];
      for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
        most = Math.max(most, written - read);
        read += chunk.length;
      }
      await writing;
      expect(read).toBe(64 * 2 ** 20);
      expect(most).toBeLessThan(40 * 2 ** 20);
    });

    it('refuses where nobody listens', async () => {
      const listener = await world.listen();
      await listener.close();
      await expect(world.connect(listener)).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
    });

    it('ends an attempt when its signal aborts', async () => {
      const { port } = (await world.listen()).local;
      const before = world.client.connect({ host: world.address, port, signal: AbortSignal.abort() });
      await expect(before).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      const controller = new AbortController();
      const during = world.client.connect({ host: world.address, port, signal: controller.signal });
      controller.abort();
      await expect(during).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    });

    it('leaves a connection alone when the signal of its attempt aborts later', async () => {
      const listener = await world.listen();
      listener.connections$.subscribe(echoByRead);
      const controller = new AbortController();
      const { port } = listener.local;
      const client = await world.client.connect({ host: world.address, port, signal: controller.signal });
      world.closeAfterwards({ close: () => client.destroy() });
      controller.abort();
      await client.write(Uint8Array.of(9));
      expect([...(await client.read())!]).toEqual([9]);
    });

    it('gives a port to one listener at a time, and frees it on close', async () => {
      const { listener, client, server } = await world.connected();
      await expect(world.listen(listener.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
      const rest = lastValueFrom(listener.connections$.pipe(toArray()));
      await listener.close();
      await listener.close();
      expect(await rest).toEqual([]);
      expect((await world.listen(listener.local.port)).local).toEqual(listener.local);

      await client.write(Uint8Array.of(3));
      expect([...(await server.read())!]).toEqual([3]);
    });

    it('closes connections that nobody takes', async () => {
      const listener = await world.listen();
      await endedOrReset(await world.connect(listener));
    });
  });
}

function pattern(length: number, step: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * step);
}

async function readAll(socket: ByteSocket): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function echoByRead(socket: ByteSocket): Promise<void> {
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) await socket.write(chunk);
  await socket.end();
}

async function halfClose(first: ByteSocket, second: ByteSocket): Promise<void> {
  await first.write(Uint8Array.of(1));
  await first.end();
  expect([...(await readAll(second))]).toEqual([1]);
  await second.write(Uint8Array.of(2));
  await second.end();
  expect([...(await readAll(first))]).toEqual([2]);
  await Promise.all([first.closed, second.closed]);
}

/** How the other side's leaving looks depends on what was under way; that it shows does not. */
async function endedOrReset(socket: ByteSocket): Promise<void> {
  const last = await socket.read().catch((error) => error.code);
  expect([null, 'ERR_CONNECTION_RESET']).toContain(last);
}
