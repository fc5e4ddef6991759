import { setImmediate as turn } from 'node:timers/promises';
import { EMPTY, firstValueFrom, lastValueFrom, mergeMap, type Subscription, switchMap, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { ByteSocket, Network } from '../../src/core/network.ts';
import { eachConnection, echo, pipeTo, readEach, tcpClient, tcpServer } from '../../src/streams/index.ts';
import { sourceOf } from './memory-pipe.ts';

const network = nodeNetwork();
const host = '127.0.0.1';

/** Runs a server until the test is finished. */
async function serve(
  handler: Parameters<typeof eachConnection>[0],
): Promise<{ port: number; serving: Subscription; failures: unknown[] }> {
  const failures: unknown[] = [];
  let serving: Subscription | undefined;
  const { port } = await new Promise<Endpoint>((onListening, error) => {
    serving = tcpServer(network, { address: host, onListening })
      .pipe(eachConnection(handler, (failure) => failures.push(failure)))
      .subscribe({ error });
  });
  onTestFinished(() => serving?.unsubscribe());
  return { port, serving: serving!, failures };
}

async function connect(port: number): Promise<ByteSocket> {
  const socket = await network.connect({ host, port });
  onTestFinished(() => socket.destroy());
  return socket;
}

async function readAll(socket: ByteSocket): Promise<Buffer> {
  return Buffer.concat(await lastValueFrom(socket.bytes$.pipe(toArray())));
}

describe('tcpServer', () => {
  it('echoes to a hundred clients at once, message by message', async () => {
    const { port, failures } = await serve(echo);
    const talks = Array.from({ length: 100 }, async (_, i) => {
      const client = await connect(port);
      const answers: string[] = [];
      for (let message = 0; message < 5; message++) {
        await client.write(Buffer.from(`client ${i} message ${message}`));
        answers.push(Buffer.from((await client.read())!).toString());
      }
      await client.end();
      expect(await client.read()).toBeNull();
      return answers;
    });
    for (const [i, answers] of (await Promise.all(talks)).entries()) {
      expect(answers).toEqual([0, 1, 2, 3, 4].map((message) => `client ${i} message ${message}`));
    }
    expect(failures).toEqual([]);
  });

  it('goes on serving the others when a client is gone in the middle', async () => {
    const flood = Buffer.alloc(64 * 1024, 7);
    const { port, failures } = await serve((socket) =>
      // Answers for ever: only a client that is gone ends it.
      readEach(socket, async () => {
        for (;;) await socket.write(flood);
      }),
    );
    const [staying, leaving] = [await connect(port), await connect(port)];
    for (const client of [staying, leaving]) await client.write(Uint8Array.of(1));
    await leaving.read();
    leaving.destroy();
    while (failures.length === 0) expect(await staying.read()).not.toBeNull();
    expect(failures).toEqual([expect.objectContaining({ code: 'ERR_CONNECTION_RESET' })]);
    expect((await staying.read())![0]).toBe(7);
  });

  it('fails when the port is taken', async () => {
    const { port } = await serve(echo);
    const second = lastValueFrom(tcpServer(network, { address: host, port }));
    await expect(second).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
  });

  it('stops listening and destroys standing connections when unsubscribed', async () => {
    const { port, serving } = await serve(echo);
    const client = await connect(port);
    await client.write(Uint8Array.of(1));
    await client.read();
    serving.unsubscribe();
    expect(await client.read()).toBeNull();
    await expect(network.connect({ host, port })).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
  });

  it('destroys connections also when nobody reads from them', async () => {
    const accepted: ByteSocket[] = [];
    const port = await new Promise<number>((resolve) => {
      const serving = tcpServer(network, { address: host, onListening: ({ port }) => resolve(port) }).subscribe(
        (socket) => {
          accepted.push(socket);
          serving.unsubscribe();
        },
      );
    });
    const client = await connect(port);
    expect(await client.read()).toBeNull();
    await accepted[0]!.closed;
  });

  it('does not stay open when unsubscribed while it opens', async () => {
    const free = await network.listen({ address: host });
    await free.close();
    const listeningOn: Endpoint[] = [];
    const options = { address: host, port: free.local.port, onListening: (at: Endpoint) => listeningOn.push(at) };
    tcpServer(network, options).subscribe().unsubscribe();
    await turn();
    await turn();
    const again = await network.listen({ address: host, port: free.local.port });
    await again.close();
    expect(listeningOn).toEqual([]);
  });

  it('does not read for a client that does not read', async () => {
    const { port } = await serve(echo);
    const client = await connect(port);
    const mebibyte = Buffer.alloc(2 ** 20, 0xa5);
    const before = process.memoryUsage().arrayBuffers;
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 96; i++) {
        await client.write(mebibyte);
        written += mebibyte.length;
      }
      await client.end();
    })();
    for (let idle = 0, seen = -1; idle < 500; idle = seen === written ? idle + 1 : 0) {
      seen = written;
      await turn();
    }
    expect(written).toBeLessThan(96 * 2 ** 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);

    let read = 0;
    for (let chunk = await client.read(); chunk !== null; chunk = await client.read()) read += chunk.length;
    await writing;
    expect(read).toBe(96 * 2 ** 20);
  });
});

describe('tcpClient', () => {
  it('connects, and completes once both directions have ended', async () => {
    const { port } = await serve(echo);
    const answer$ = tcpClient(network, { host, port }).pipe(
      mergeMap(async (socket) => {
        await lastValueFrom(pipeTo(sourceOf(Buffer.from('hello '), Buffer.from('there')), socket));
        return (await readAll(socket)).toString();
      }),
      toArray(),
    );
    expect(await lastValueFrom(answer$)).toEqual(['hello there']);
  });

  it('lets what has arrived be read after it completed', async () => {
    const { port } = await serve(async (socket) => {
      await socket.write(Buffer.from('farewell'));
      await socket.end();
      await socket.closed;
    });
    const client = tcpClient(network, { host, port });
    const socket = await lastValueFrom(
      client.pipe(
        mergeMap(async (connected) => {
          await connected.end();
          return connected;
        }),
      ),
    );
    expect((await readAll(socket)).toString()).toBe('farewell');
  });

  it('half-closes both ways', async () => {
    let answer = '';
    const { port } = await serve(async (socket) => {
      await socket.write(Buffer.from('question'));
      await socket.end();
      answer = (await readAll(socket)).toString();
    });
    const client = await connect(port);
    expect((await readAll(client)).toString()).toBe('question');
    await client.write(Buffer.from('answer'));
    await client.end();
    await client.closed;
    while (answer === '') await turn();
    expect(answer).toBe('answer');
  });

  it('fails where nobody listens', async () => {
    const { port, serving } = await serve(echo);
    serving.unsubscribe();
    const refused = lastValueFrom(tcpClient(network, { host, port }));
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
  });

  it('destroys the connection when unsubscribed', async () => {
    const { port } = await serve(echo);
    // firstValueFrom unsubscribes as soon as there is a value.
    const socket = await firstValueFrom(tcpClient(network, { host, port }));
    await socket.closed;
    await expect(socket.read()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('ends the attempt when unsubscribed while connecting', async () => {
    const signals: AbortSignal[] = [];
    const attempt = tcpClient(neverConnecting(signals), { host, port: 9 }).pipe(switchMap(() => EMPTY));
    const subscription = attempt.subscribe();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    subscription.unsubscribe();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await turn();
  });
});

/** A network on which an attempt to connect lasts until it is aborted. */
function neverConnecting(signals: AbortSignal[]): Network {
  return {
    ...network,
    connect: ({ signal }) =>
      new Promise((_, reject) => {
        signals.push(signal!);
        signal!.addEventListener('abort', () => reject(new TraversalError('ERR_ABORTED', 'aborted')));
      }),
  };
}
