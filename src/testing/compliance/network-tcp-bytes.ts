import { lastValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import type { ByteSocket } from '../../core/network.ts';
import { pattern } from './bytes.ts';
import { echoByRead, endedOrReset, readAll } from './network-bytes.ts';
import type { NetworkBench } from './network-world.ts';
import { SLOW, type Test } from './suite.ts';
import { standstill } from './waiting.ts';

/** How bytes go over a standing TCP connection. */
export function tcpBytesTests(test: Test<NetworkBench>): void {
  test('carries bytes both ways, in order, to whoever reads', async (bench) => {
    const { client, server } = await bench.connected();
    const [up, down] = [pattern(300_000, 7), pattern(200_000, 11)];
    const sent = Promise.all([client.write(up).then(client.end), server.write(down).then(server.end)]);
    const [atServer, atClient] = await Promise.all([readAll(server), readAll(client)]);
    await sent;
    expect(Buffer.compare(atServer, up)).toBe(0);
    expect(Buffer.compare(atClient, down)).toBe(0);
    await Promise.all([client.closed, server.closed]);
  });

  test('pushes the same bytes to a subscriber', async (bench) => {
    const { client, server } = await bench.connected();
    const received = lastValueFrom(server.bytes$.pipe(toArray()));
    const sent = pattern(300_000, 7);
    await client.write(sent);
    await client.end();
    expect(Buffer.compare(Buffer.concat(await received), sent)).toBe(0);
  });

  test('serves many clients at once, each with its own bytes', async (bench) => {
    const listener = await bench.listen();
    listener.connections$.subscribe(echoByRead);
    const answers = Array.from({ length: 100 }, async (_, i) => {
      const client = await bench.connect(listener);
      for (let message = 0; message < 3; message++) await client.write(Buffer.from(`${i}.${message};`));
      await client.end();
      return (await readAll(client)).toString();
    });
    expect(await Promise.all(answers)).toEqual(answers.map((_, i) => `${i}.0;${i}.1;${i}.2;`));
  });

  test('half-closes from the client: the server reads the end and still writes', async (bench) => {
    const { client, server } = await bench.connected();
    await halfClose(client, server);
  });

  test('half-closes from the server: the client reads the end and still writes', async (bench) => {
    const { client, server } = await bench.connected();
    await halfClose(server, client);
  });

  test('has one reader at a time', async (bench) => {
    const { client, server } = await bench.connected();
    const first = server.read();
    await expect(server.read()).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await client.write(Uint8Array.of(1));
    expect([...(await first)!]).toEqual([1]);
  });

  test('destroys the socket when its subscriber leaves before the end', async (bench) => {
    const { client, server } = await bench.connected();
    server.bytes$.subscribe().unsubscribe();
    await server.closed;
    await endedOrReset(client);
  });

  test('keeps the socket when its subscriber saw the end', async (bench) => {
    const { client, server } = await bench.connected();
    const seen = lastValueFrom(server.bytes$.pipe(toArray()));
    await client.end();
    await seen;
    await server.write(Uint8Array.of(5));
    expect([...(await client.read())!]).toEqual([5]);
  });

  test(
    'says how much the system has not taken yet',
    async (bench) => {
      const { client, server } = await bench.connected();
      await client.write(Uint8Array.of(1));
      expect(client.queued).toBe(0);
      const bulk = new Uint8Array(64 * 2 ** 20);
      const written = client.write(bulk);
      const queued = [client.queued];
      const read = readAll(server);
      await written;
      queued.push(client.queued);
      await client.end();
      expect(await read).toHaveLength(bulk.length + 1);
      expect(queued[0]).toBeGreaterThan(bulk.length / 2);
      expect(queued[1]).toBe(0);
    },
    SLOW,
  );

  test(
    'slows the writer down to the speed of the reader',
    async (bench) => {
      const { client, server } = await bench.connected();
      const mebibyte = new Uint8Array(2 ** 20);
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 64; i++) {
          await client.write(mebibyte);
          written += mebibyte.length;
        }
        await client.end();
      })();
      await standstill(bench.clock, () => written, 100);

      // What may be under way: the kernel's buffers of both ends and the read-ahead, in all about half of the whole.
      let [read, most] = [0, written];
      for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
        most = Math.max(most, written - read);
        read += chunk.length;
      }
      await writing;
      expect(read).toBe(64 * 2 ** 20);
      expect(most).toBeLessThan(40 * 2 ** 20);
    },
    SLOW,
  );
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
