import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { internet, type TcpSocket } from '../../../src/sim/index.ts';
import { WebSocketConnection } from '../../../src/sim/websocket/connection.ts';
import { encodeFrame } from '../../../src/sim/websocket/frame.ts';
import { acceptUpgrade, requestUpgrade } from '../../../src/sim/websocket/upgrade.ts';
import { addressOf } from '../datagrams.ts';

/** Two hosts, 40 ms apart, with a TCP connection between them. */
async function connected() {
  const world = internet({ seed: 1 });
  const { clock } = world;
  const [client, server] = [world.host('client'), world.host('server')];
  const accepted = new Promise<TcpSocket>((resolve) => server.tcp.listen({ port: 80 }, resolve));
  const near = await clock.runUntil(client.tcp.connect({ remote: endpoint(addressOf(server), 80) }));
  return { world, clock, near, far: await clock.runUntil(accepted) };
}

/** What an end of a WebSocket was told. */
function watched() {
  const told: unknown[] = [];
  return {
    told,
    events: {
      onMessage: (message: string | Uint8Array) =>
        told.push(typeof message === 'string' ? message : `${message.length} bytes`),
      onControl: (type: string) => told.push(type),
      onEnd: (code: number, reason: string) => told.push([code, reason]),
    },
  };
}

async function pair() {
  const { world, clock, near, far } = await connected();
  const [client, server] = [watched(), watched()];
  const rest = new Uint8Array(0);
  return {
    world,
    clock,
    near,
    far,
    client: new WebSocketConnection({ stream: near, role: 'client', clock, rest }, client.events),
    server: new WebSocketConnection({ stream: far, role: 'server', clock, rest }, server.events),
    told: { client: client.told, server: server.told },
  };
}

/** A stream on which these chunks come, and then its end. */
function streamOf(...chunks: Uint8Array[]) {
  const written: Uint8Array[] = [];
  return {
    written,
    queued: 0,
    read: async () => chunks.shift() ?? null,
    write: async (bytes: Uint8Array) => void written.push(bytes),
    end: async () => {},
    destroy() {},
  };
}

/** What a client asks with. */
async function requestFor(host: string): Promise<Uint8Array> {
  const stream = streamOf();
  await expect(requestUpgrade(stream, host)).rejects.toMatchObject({ where: 'websocket/upgrade' });
  return Buffer.concat(stream.written);
}

describe('an upgrade', () => {
  it('takes one round trip, tells the host, and loses nothing of what comes after it', async () => {
    const { clock, near, far } = await connected();
    const before = clock.now();
    const accepting = acceptUpgrade(far).then(async (accepted) => {
      await far.write(encodeFrame({ type: 'text', text: 'hello' }, 'server'));
      return accepted;
    });
    const rest = await clock.runUntil(requestUpgrade(near, 'meet.example.org:8790'));
    expect(clock.now() - before).toBe(80);
    expect((await accepting).host).toBe('meet.example.org:8790');
    const { told, events } = watched();
    const client = new WebSocketConnection({ stream: near, role: 'client', clock, rest }, events);
    await clock.advance(1);
    expect(told).toEqual(['hello']);
    client.terminate();
  });

  it.each<[string, (far: TcpSocket) => Promise<void>]>([
    ['something else', (far) => far.write(Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n'))],
    ['nothing', (far) => far.end()],
    ['1 KiB, and no end yet', (far) => far.write(Buffer.alloc(1_024, 'a'))],
  ])('fails when the server answers with %s', async (_what, answer) => {
    const { clock, near, far } = await connected();
    await answer(far);
    await expect(clock.runUntil(requestUpgrade(near, 'a'))).rejects.toMatchObject({ where: 'websocket/upgrade' });
  });
});

describe('the request for an upgrade', () => {
  const rest = Buffer.from('what comes after it');
  const cuts: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array[]])[] = [
    ['in one piece', (bytes) => [bytes]],
    ['byte by byte', (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))],
  ];

  it.each(cuts)('may be 1 KiB long and come %s', async (_how, cut) => {
    const host = 'h'.repeat(1_024 - (await requestFor('')).length);
    const [last, ...first] = cut(await requestFor(host)).reverse();
    const accepted = await acceptUpgrade(streamOf(...first.reverse(), Buffer.concat([last!, rest])));
    expect({ ...accepted, rest: Buffer.from(accepted.rest) }).toEqual({ host, rest });
  });

  it.each(cuts)('is refused when it is longer, though it is whole and comes %s', async (_how, cut) => {
    const host = 'h'.repeat(1_025 - (await requestFor('')).length);
    const stream = streamOf(...cut(await requestFor(host)));
    await expect(acceptUpgrade(stream)).rejects.toMatchObject({ where: 'websocket/upgrade' });
    expect(stream.written).toEqual([]);
  });
});

describe('a WebSocket', () => {
  it('carries messages of both kinds both ways, and pings', async () => {
    const { clock, client, server, told } = await pair();
    client.send('text');
    client.send(new Uint8Array(70_000));
    server.send('answer');
    server.ping();
    await clock.advance(1_000);
    expect(told).toEqual({ client: ['answer', 'ping'], server: ['text', '70000 bytes', 'pong'] });
    expect(client.queued).toBe(0);
  });

  it('tells what TCP has not taken yet', async () => {
    const { clock, client } = await pair();
    for (let i = 0; i < 10; i++) client.send(new Uint8Array(2 ** 17));
    expect(client.queued).toBe(10 * (2 ** 17 + 14) - 2 ** 20);
    await clock.advance(2_000);
    expect(client.queued).toBe(0);
  });

  it('is closed by both sides, with the code of the one that began', async () => {
    const { clock, near, far, client, server, told } = await pair();
    client.send('last');
    client.close(1008, 'enough');
    client.send('too late');
    await clock.advance(80);
    expect(told).toEqual({ client: [[1008, '']], server: ['last', [1008, 'enough']] });
    server.send('too late');
    await clock.advance(100_000);
    expect(told).toEqual({ client: [[1008, '']], server: ['last', [1008, 'enough']] });
    expect([near.connection.state, far.connection.state, clock.pending]).toEqual(['closed', 'closed', 0]);
  });

  it('ends after 1 s when the other side does not confirm', async () => {
    const { clock, client, server, told } = await pair();
    client.hold();
    server.close(1013, 'full');
    await clock.advance(999);
    expect(told.server).toEqual([]);
    await clock.advance(1);
    expect(told.server).toEqual([[1006, '']]);
  });

  it('ends without a word of why when TCP ends', async () => {
    const { clock, client, told } = await pair();
    client.terminate();
    expect(told.client).toEqual([[1006, '']]);
    await clock.advance(40);
    expect(told.server).toEqual([[1006, '']]);
  });

  it('ends when TCP is reset', async () => {
    const { world, clock, server, told } = await pair();
    world.happen({ type: 'restart', host: 'client' });
    server.send('are you there?');
    await clock.advance(100);
    expect(told.server).toEqual([[1006, expect.stringMatching(/abruptly/)]]);
  });

  it('ends when it is told what it cannot decode, after what came before', async () => {
    const { clock, near, told } = await pair();
    await near.write(encodeFrame({ type: 'text', text: 'first' }, 'client'));
    await clock.advance(10);
    await near.write(Uint8Array.of(0xff, 0xff));
    await clock.advance(200);
    expect(told).toEqual({
      client: [[1006, '']],
      server: ['first', [1006, 'cannot decode websocket/opcode']],
    });
  });

  it('says nothing to anybody once it is abandoned', async () => {
    const { world, clock, client, server, told } = await pair();
    server.close(1001, 'going');
    world.hostNamed('server').stop();
    server.abandon();
    client.send('hello?');
    await clock.advance(500);
    expect(told.server).toEqual([]);
  });
});
