import { setImmediate as turn } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { ByteListener, ByteSocket, DatagramSocket, Network } from '../../src/core/network.ts';

export interface NetworkUnderTest {
  /** The hosts of the two ends; may be one and the same. */
  readonly server: Network;
  readonly client: Network;
  /** Numeric address of the server's host, as the client's reaches it. */
  readonly address: string;
  close(): void;
}

/** What every {@link Network} owes its users, whatever carries the bytes. Nothing here depends on how fast they travel. */
export function networkCompliance({ name, create }: { name: string; create: () => NetworkUnderTest }): void {
  describe(`${name} as a Network`, () => {
    let world: NetworkUnderTest;
    const opened: { close(): unknown }[] = [];
    const family = () => endpoint(world.address, 0).family;

    beforeEach(() => {
      world = create();
    });
    afterEach(() => {
      for (const resource of opened.splice(0)) resource.close();
      world.close();
    });

    async function udp(on: Network, port = 0): Promise<DatagramSocket> {
      const socket = await on.udp({ family: family(), address: world.address, port });
      opened.push(socket);
      return socket;
    }

    async function listen(port = 0): Promise<ByteListener> {
      const listener = await world.server.listen({ address: world.address, port });
      opened.push(listener);
      return listener;
    }

    async function connect(listener: ByteListener, localPort?: number): Promise<ByteSocket> {
      const { port } = listener.local;
      const socket = await world.client.connect({ host: world.address, port, ...(localPort && { localPort }) });
      opened.push({ close: () => socket.destroy() });
      return socket;
    }

    /** Both ends of one connection. */
    async function connected(): Promise<{ client: ByteSocket; server: ByteSocket; listener: ByteListener }> {
      const listener = await listen();
      const accepted = firstValueFrom(listener.connections$);
      const client = await connect(listener);
      const server = await accepted;
      opened.push({ close: () => server.destroy() });
      return { client, server, listener };
    }

    describe('UDP', () => {
      it('binds any free port, and says which', async () => {
        const [first, second] = [await udp(world.server), await udp(world.server)];
        expect(first.local).toMatchObject({ address: world.address, family: family() });
        expect(first.local.port).toBeGreaterThan(0);
        expect(second.local.port).not.toBe(first.local.port);
      });

      it('carries datagrams both ways and names their source', async () => {
        const [server, client] = [await udp(world.server), await udp(world.client)];
        server.datagrams$.subscribe(({ data, from }) => server.send(Uint8Array.of(...data, 0xff), from));
        const answer = firstValueFrom(client.datagrams$.pipe(map(({ data, from }) => ({ data: [...data], from }))));
        expect(client.send(Uint8Array.of(1, 2, 3), server.local)).toBe(true);
        expect(await answer).toEqual({ data: [1, 2, 3, 0xff], from: server.local });
      });

      it.each([0, 1, 1200])('keeps a datagram of %d bytes whole', async (length) => {
        const [server, client] = [await udp(world.server), await udp(world.client)];
        const sent = Uint8Array.from({ length }, (_, i) => i);
        const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => Uint8Array.from(data))));
        client.send(sent, server.local);
        expect(await received).toEqual(sent);
      });

      it('tells many sources apart', async () => {
        const server = await udp(world.server);
        server.datagrams$.subscribe(({ data, from }) => server.send(data, from));
        const clients = await Promise.all(Array.from({ length: 100 }, () => udp(world.client)));
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

      it('survives datagrams that nobody takes', async () => {
        const [server, client, gone] = [await udp(world.server), await udp(world.client), await udp(world.server)];
        gone.close();
        for (let i = 0; i < 10; i++) client.send(Uint8Array.of(i), gone.local);
        const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
        client.send(Uint8Array.of(42), server.local);
        expect(await received).toBe(42);
      });

      it('survives a datagram that is too long for the network', async () => {
        const [server, client] = [await udp(world.server), await udp(world.client)];
        const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
        client.send(new Uint8Array(70_000), server.local);
        client.send(Uint8Array.of(42), server.local);
        expect(await received).toBe(42);
      });

      it('drops at once what cannot be addressed', async () => {
        const socket = await udp(world.client);
        const otherFamily = family() === 4 ? '::1' : '127.0.0.1';
        expect(socket.send(Uint8Array.of(1), endpoint(otherFamily, 9))).toBe(false);
        expect(socket.send(Uint8Array.of(1), endpoint(world.address, 0))).toBe(false);
      });

      it('completes its datagrams on close, and drops what is sent afterwards', async () => {
        const socket = await udp(world.server);
        const rest = lastValueFrom(socket.datagrams$.pipe(toArray()));
        socket.close();
        socket.close();
        expect(await rest).toEqual([]);
        expect(socket.send(Uint8Array.of(1), endpoint(world.address, 9))).toBe(false);
      });

      it('gives a port to one socket at a time', async () => {
        const first = await udp(world.server);
        await expect(udp(world.server, first.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
        first.close();
        expect((await udp(world.server, first.local.port)).local).toEqual(first.local);
      });
    });

    describe('TCP', () => {
      it('joins two ends that name each other', async () => {
        const { client, server, listener } = await connected();
        expect(client.remote).toEqual(listener.local);
        expect(server.local).toEqual(listener.local);
        expect(formatEndpoint(server.remote)).toBe(formatEndpoint(client.local));
      });

      it('connects from a given local port', async () => {
        const listener = await listen();
        const accepted = firstValueFrom(listener.connections$);
        const free = await world.client.listen({});
        await free.close();
        await connect(listener, free.local.port);
        expect((await accepted).remote.port).toBe(free.local.port);
      });

      it('carries bytes both ways, in order, to whoever reads', async () => {
        const { client, server } = await connected();
        const [up, down] = [pattern(300_000, 7), pattern(200_000, 11)];
        const sent = Promise.all([client.write(up).then(client.end), server.write(down).then(server.end)]);
        const [atServer, atClient] = await Promise.all([readAll(server), readAll(client)]);
        await sent;
        expect(Buffer.compare(atServer, up)).toBe(0);
        expect(Buffer.compare(atClient, down)).toBe(0);
        await Promise.all([client.closed, server.closed]);
      });

      it('pushes the same bytes to a subscriber', async () => {
        const { client, server } = await connected();
        const received = lastValueFrom(server.bytes$.pipe(toArray()));
        const sent = pattern(300_000, 7);
        await client.write(sent);
        await client.end();
        expect(Buffer.compare(Buffer.concat(await received), sent)).toBe(0);
      });

      it('serves many clients at once, each with its own bytes', async () => {
        const listener = await listen();
        listener.connections$.subscribe(echoByRead);
        const answers = Array.from({ length: 100 }, async (_, i) => {
          const client = await connect(listener);
          for (let message = 0; message < 3; message++) await client.write(Buffer.from(`${i}.${message};`));
          await client.end();
          return (await readAll(client)).toString();
        });
        expect(await Promise.all(answers)).toEqual(answers.map((_, i) => `${i}.0;${i}.1;${i}.2;`));
      });

      it('half-closes from the client: the server reads the end and still writes', async () => {
        const { client, server } = await connected();
        await halfClose(client, server);
      });

      it('half-closes from the server: the client reads the end and still writes', async () => {
        const { client, server } = await connected();
        await halfClose(server, client);
      });

      it('writes nothing after end', async () => {
        const { client } = await connected();
        await client.end();
        await client.end();
        await expect(client.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      });

      it('fails reads and writes of a destroyed socket, and lets the other side know', async () => {
        const { client, server } = await connected();
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
        const { client, server } = await connected();
        server.destroy();
        const writing = async () => {
          for (;;) await client.write(new Uint8Array(1024));
        };
        await expect(writing()).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
        await client.closed;
      });

      it('has one reader at a time', async () => {
        const { client, server } = await connected();
        const first = server.read();
        await expect(server.read()).rejects.toMatchObject({ code: 'ERR_BUSY' });
        await client.write(Uint8Array.of(1));
        expect([...(await first)!]).toEqual([1]);
      });

      it('destroys the socket when its subscriber leaves before the end', async () => {
        const { client, server } = await connected();
        server.bytes$.subscribe().unsubscribe();
        await server.closed;
        await endedOrReset(client);
      });

      it('keeps the socket when its subscriber saw the end', async () => {
        const { client, server } = await connected();
        const seen = lastValueFrom(server.bytes$.pipe(toArray()));
        await client.end();
        await seen;
        await server.write(Uint8Array.of(5));
        expect([...(await client.read())!]).toEqual([5]);
      });

      it('slows the writer down to the speed of the reader', async () => {
        const { client, server } = await connected();
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
        const listener = await listen();
        await listener.close();
        await expect(connect(listener)).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
      });

      it('ends an attempt when its signal aborts', async () => {
        const { port } = (await listen()).local;
        const before = world.client.connect({ host: world.address, port, signal: AbortSignal.abort() });
        await expect(before).rejects.toMatchObject({ code: 'ERR_ABORTED' });
        const controller = new AbortController();
        const during = world.client.connect({ host: world.address, port, signal: controller.signal });
        controller.abort();
        await expect(during).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      });

      it('leaves a connection alone when the signal of its attempt aborts later', async () => {
        const listener = await listen();
        listener.connections$.subscribe(echoByRead);
        const controller = new AbortController();
        const { port } = listener.local;
        const client = await world.client.connect({ host: world.address, port, signal: controller.signal });
        opened.push({ close: () => client.destroy() });
        controller.abort();
        await client.write(Uint8Array.of(9));
        expect([...(await client.read())!]).toEqual([9]);
      });

      it('gives a port to one listener at a time, and frees it on close', async () => {
        const { listener, client, server } = await connected();
        await expect(listen(listener.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
        const rest = lastValueFrom(listener.connections$.pipe(toArray()));
        await listener.close();
        await listener.close();
        expect(await rest).toEqual([]);
        expect((await listen(listener.local.port)).local).toEqual(listener.local);

        await client.write(Uint8Array.of(3));
        expect([...(await server.read())!]).toEqual([3]);
      });

      it('closes connections that nobody takes', async () => {
        const listener = await listen();
        await endedOrReset(await connect(listener));
      });
    });

    describe('names and addresses', () => {
      it('answers a numeric address with its canonical text', async () => {
        expect(await world.client.resolve('2001:DB8:0::1')).toEqual(['2001:db8::1']);
        expect(await world.client.resolve('192.0.2.1', { family: 4 })).toEqual(['192.0.2.1']);
      });

      it('has no answer in the other family', async () => {
        await expect(world.client.resolve('192.0.2.1', { family: 6 })).rejects.toMatchObject({ code: 'ERR_RESOLVE' });
      });

      it('does not resolve for an aborted signal', async () => {
        const resolving = world.client.resolve('192.0.2.1', { signal: AbortSignal.abort() });
        await expect(resolving).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      });

      it('lists the addresses of the host', () => {
        expect(world.server.interfaces()).toContainEqual(
          expect.objectContaining({ address: world.address, family: family() }),
        );
      });
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
