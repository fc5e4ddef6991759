import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deferred } from '../../src/core/deferred.ts';
import type { RunningServer } from '../../src/node.ts';
import { errorCode, listenJson, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';
import { listening, portOf, unusedPort } from './tcp.ts';

let server: RunningServer;
let service: Server;
beforeAll(async () => {
  server = await startTestServer();
  // Whoever connects hears a greeting first, as from SSH or SMTP, and then itself.
  service = await listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ');
      socket.pipe(socket);
    }),
  );
});
afterAll(async () => {
  service.close();
  await server.close();
});

/** Sends all of `bytes`, ends, and gives what comes back until the end. */
function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
    socket.end(bytes);
  });
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A listener that forwards to a port of this machine, and a dialer that listens on one. */
async function tunnel(to: number) {
  const listener = await listenJson(server.url, ['--forward', String(to)]);
  const dialer = sallyport(['connect', listener.ticket, '--forward', '0', '--json']);
  const { port } = await dialer.event('forwarding');
  return {
    port: port as number,
    dialer,
    listener,
    async [Symbol.asyncDispose]() {
      await dialer[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

describe.concurrent('--forward', () => {
  it('carries many TCP connections at once, each with its own bytes', async () => {
    await using joined = await tunnel(portOf(service));
    const exchanges = Array.from({ length: 32 }, async (_, i) => {
      const bytes = randomBytes(1 + i * 5000);
      const answer = await exchange(joined.port, bytes);
      expect(answer.subarray(0, 6).toString()).toBe('hello ');
      expect(digest(answer.subarray(6))).toBe(digest(bytes));
    });
    await Promise.all(exchanges);
    expect(exchanges).toHaveLength(32);
  });

  it('ends a connection whose service is not there, and takes the next', async () => {
    const gone = await unusedPort();
    await using joined = await tunnel(gone);
    expect(await exchange(joined.port, Buffer.from('anyone?')).catch(() => Buffer.alloc(0))).toHaveLength(0);
    const returned = await listening(
      createServer((socket) => socket.end('here again')),
      gone,
    );
    expect((await exchange(joined.port, Buffer.alloc(0))).toString()).toBe('here again');
    returned.close();
  });

  it('lets a connection go when its client leaves in the middle', async () => {
    const left = new Deferred();
    const source = await listening(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.on('close', () => left.resolve());
        socket.write('x'.repeat(1000));
      }),
    );
    await using joined = await tunnel(portOf(source));
    const client = connect({ port: joined.port, host: '127.0.0.1' });
    await new Promise((resolve) => client.once('data', resolve));
    client.resetAndDestroy();
    await left.promise;
    source.close();
  });

  it('ends with exit code 0 by Ctrl-C, and the port is free again', async () => {
    await using joined = await tunnel(portOf(service));
    joined.dialer.signal('SIGINT');
    expect(await joined.dialer.ended).toMatchObject({ code: 0, stderr: '' });
    const again = await listening(createServer(), joined.port);
    again.close();
  });

  it('ends with exit code 1 when the other side has ended', async () => {
    await using joined = await tunnel(portOf(service));
    joined.listener.signal('SIGINT');
    const end = await joined.dialer.ended;
    expect([end.code, errorCode(end)]).toEqual([1, 'ERR_CLOSED']);
    expect((await joined.listener.ended).code).toBe(0);
  });

  it('is wrong use on a port that is taken', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const end = await run(['connect', listener.ticket, '--json', '--forward', String(portOf(service))]);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_PORT_IN_USE']);
  });

  it('tells a single pipe that the service is not there', async () => {
    await using listener = await listenJson(server.url, ['--forward', String(await unusedPort())]);
    const end = await run(['connect', listener.ticket]);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('ERR_CONNECTION_REFUSED');
  });
});
