import { setImmediate as turn } from 'node:timers/promises';
import { firstValueFrom, map, take } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Drop, nodeNetwork } from '../../../src/adapters/node/index.ts';
import { endpoint, type Family } from '../../../src/core/endpoint.ts';
import type { ByteSocket, DatagramSocket } from '../../../src/core/network.ts';

describe('nodeNetwork, UDP', () => {
  const drops: Drop[] = [];
  const network = nodeNetwork({ onDrop: (drop) => drops.push(drop) });

  async function udp(address: string, family: Family = 4, port = 0): Promise<DatagramSocket> {
    const socket = await network.udp({ family, address, port });
    onTestFinished(() => socket.close());
    return socket;
  }

  it.each([
    ['a datagram too long for UDP', '127.0.0.1', 70_000, 'EMSGSIZE'],
    ['a destination the system forbids', '255.255.255.255', 1, 'EACCES'],
  ])('reports %s as a drop and goes on', async (_what, address, length, reason) => {
    const [server, client] = [await udp('127.0.0.1'), await udp('127.0.0.1')];
    drops.length = 0;
    const received = firstValueFrom(server.datagrams$);
    client.send(new Uint8Array(length), endpoint(address, 9));
    client.send(Uint8Array.of(1), server.local);
    await received;
    expect(drops).toEqual([{ local: client.local, remote: endpoint(address, 9), reason }]);
  });

  it('reports what cannot be addressed, or comes too late', async () => {
    const socket = await udp('127.0.0.1');
    drops.length = 0;
    const [other, none] = [endpoint('::1', 9), endpoint('127.0.0.1', 0)];
    for (const to of [other, none]) socket.send(Uint8Array.of(1), to);
    socket.close();
    socket.send(Uint8Array.of(1), endpoint('127.0.0.1', 9));
    expect(drops.map(({ remote, reason }) => [remote, reason])).toEqual([
      [other, 'unsuitable address'],
      [none, 'unsuitable address'],
      [endpoint('127.0.0.1', 9), 'closed'],
    ]);
  });

  it('keeps IPv6 sockets to IPv6, so that both families can have one port', async () => {
    const six = await udp('::', 6);
    const four = await udp('0.0.0.0', 4, six.local.port);
    expect(four.local.port).toBe(six.local.port);
  });

  it('binds all addresses of the family when none is named', async () => {
    const socket = await network.udp({ family: 4 });
    onTestFinished(() => socket.close());
    expect(socket.local).toMatchObject({ address: '0.0.0.0', family: 4 });
  });

  it('names sources rightly beyond those it remembers', async () => {
    const server = await udp('127.0.0.1');
    for (let subnet = 1; subnet <= 11; subnet++) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => udp(`127.0.1.${subnet}`)));
      for (const client of clients) {
        const source = firstValueFrom(server.datagrams$.pipe(map(({ from }) => from)));
        client.send(Uint8Array.of(1), server.local);
        expect(await source).toEqual(client.local);
        client.close();
      }
    }
  });

  it('says what to do about a port that is taken', async () => {
    const { port } = (await udp('127.0.0.1')).local;
    await expect(udp('127.0.0.1', 4, port)).rejects.toThrow(
      `binding UDP port ${port} on 127.0.0.1: the port is taken; choose another, or 0 for any free one (EADDRINUSE)`,
    );
  });

  it.each([
    ['an address that is not ours', { address: '198.51.100.1' }, 'ERR_NETWORK'],
    ['a port out of range', { port: 65_536 }, 'ERR_USAGE'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(network.udp({ family: 4, ...options })).rejects.toMatchObject({ code });
  });
});

describe('nodeNetwork, TCP', () => {
  const network = nodeNetwork();

  async function connected(): Promise<{ client: ByteSocket; server: ByteSocket }> {
    const listener = await network.listen({ address: '127.0.0.1' });
    const accepted = firstValueFrom(listener.connections$);
    const client = await network.connect({ host: '127.0.0.1', port: listener.local.port });
    const server = await accepted;
    onTestFinished(async () => {
      client.destroy();
      server.destroy();
      await listener.close();
    });
    return { client, server };
  }

  it('listens on both families when no address is named, and shows IPv4 clients as such', async () => {
    const listener = await network.listen({});
    onTestFinished(() => listener.close());
    for (const host of ['127.0.0.1', '::1']) {
      const accepted = firstValueFrom(listener.connections$);
      const client = await network.connect({ host, port: listener.local.port });
      const server = await accepted;
      expect(server.remote).toEqual(client.local);
      expect(server.remote.address).toBe(host);
      client.destroy();
      server.destroy();
    }
  });

  it('connects by host name', async () => {
    const listener = await network.listen({});
    onTestFinished(() => listener.close());
    listener.connections$.pipe(take(1)).subscribe((socket) => socket.end());
    const client = await network.connect({ host: 'localhost', port: listener.local.port });
    onTestFinished(() => client.destroy());
    expect(await client.read()).toBeNull();
  });

  it('keeps a write waiting while the reader stalls, in little memory, and fails it when the socket is destroyed', async () => {
    const { client, server } = await connected();
    const mebibyte = new Uint8Array(2 ** 20);
    const before = process.memoryUsage().arrayBuffers;
    let written = 0;
    const writing = (async () => {
      for (;;) {
        await client.write(mebibyte);
        written += mebibyte.length;
      }
    })();
    const outcome = writing.catch((error) => error.code);
    // Until nothing has moved for a while: all buffers on the way are full.
    for (let idle = 0, seen = -1; idle < 500; idle = seen === written ? idle + 1 : 0) {
      seen = written;
      await turn();
    }
    expect(written).toBeLessThan(64 * 2 ** 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);

    client.destroy();
    expect(await outcome).toBe('ERR_CLOSED');
    await client.closed;
    server.destroy();
  });

  it('still gives what came in before the connection ended well', async () => {
    const { client, server } = await connected();
    await client.write(Uint8Array.of(1, 2));
    await Promise.all([client.end(), server.end()]);
    await server.closed;
    server.destroy();
    expect([...(await server.read())!]).toEqual([1, 2]);
    expect(await server.read()).toBeNull();
  });

  it('reports connections that nobody takes', async () => {
    const drops: Drop[] = [];
    const listener = await nodeNetwork({ onDrop: (drop) => drops.push(drop) }).listen({ address: '127.0.0.1' });
    onTestFinished(() => listener.close());
    const client = await network.connect({ host: '127.0.0.1', port: listener.local.port });
    await client.read();
    expect(drops).toEqual([{ local: listener.local, remote: client.local, reason: 'nobody takes connections' }]);
    client.destroy();
  });

  it.each([
    ['a port out of range', { host: '127.0.0.1', port: 65_536 }, 'ERR_USAGE'],
    ['a name that cannot exist', { host: `${'x'.repeat(64)}.invalid`, port: 80 }, 'ERR_RESOLVE'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(network.connect(options)).rejects.toMatchObject({ code });
  });
});

describe('nodeNetwork, names', () => {
  const network = nodeNetwork();

  it('resolves a host name, in a family if asked', async () => {
    expect(await network.resolve('localhost', { family: 4 })).toEqual(['127.0.0.1']);
  });

  it('says that a name cannot be resolved', async () => {
    await expect(network.resolve(`${'x'.repeat(64)}.invalid`)).rejects.toMatchObject({ code: 'ERR_RESOLVE' });
  });

  it('stops waiting for an answer when aborted', async () => {
    const controller = new AbortController();
    const resolving = network.resolve('localhost', { signal: controller.signal });
    controller.abort(new Error('no longer needed'));
    await expect(resolving).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: controller.signal.reason });
  });

  it('gives link-local addresses with their zone', () => {
    const linkLocal = network.interfaces().filter(({ address }) => address.startsWith('fe80'));
    for (const { address, name } of linkLocal) expect(address.endsWith(`%${name}`)).toBe(true);
    expect(network.interfaces().filter(({ internal }) => internal).length).toBeGreaterThan(0);
  });
});
