import { describe, expect, it } from 'vitest';
import type { LinkSpec } from '../../../src/sim/index.ts';
import { pattern, readAll, TcpPair } from './pair.ts';

/** Sends so much from client to server, and says how long that took in ms. */
async function transfer(pair: TcpPair, length: number): Promise<number> {
  const { client, server } = await pair.connected();
  const sent = pattern(length);
  const started = pair.world.clock.now();
  const up = client.write(sent).then(() => client.end());
  const down = readAll(server).then((all) => server.end().then(() => all));
  const all = Promise.all([up, down, readAll(client)]);
  const [, received] = await pair.world.clock.runUntil(all, 3_600_000);
  expect(Buffer.compare(received, sent)).toBe(0);
  return pair.world.clock.now() - started;
}

describe('bytes over TCP', () => {
  it.each<[string, LinkSpec]>([
    ['loses every tenth packet', { latency: 10, loss: 0.1 }],
    ['loses every fifth packet', { latency: 10, loss: 0.2 }],
    ['loses in bursts', { latency: 10, burstLoss: { begin: 0.02, end: 0.4 } }],
    ['reorders', { latency: 10, reorder: { share: 0.2, delay: 7 } }],
    ['duplicates', { latency: 10, duplicate: 0.3 }],
    ['does all of that', { latency: 10, jitter: 5, loss: 0.05, duplicate: 0.1, reorder: { share: 0.1, delay: 30 } }],
    ['is slow and has a short queue', { latency: 10, rate: 2_000_000, queue: 10_000 }],
    ['has a small MTU', { latency: 10, mtu: 576 }],
  ])('arrive whole and in order by a link that %s', async (_what, link) => {
    for (let seed = 1; seed <= 5; seed++) await transfer(new TcpPair({ link, seed }), 100_000);
  });

  it('use most of the rate of the link', async () => {
    const pair = new TcpPair({ link: { latency: 10, rate: 8_000_000 } });
    // 1 MB at 1 MB/s, with 40 bytes of headers on each 1460.
    const elapsed = await transfer(pair, 1_000_000);
    expect(elapsed).toBeGreaterThan(1_027);
    expect(elapsed).toBeLessThan(1_800);
  });

  it('go through a narrower link beyond the first one (RFC 1191)', async () => {
    const pair = new TcpPair();
    const tunnel = pair.world.lan('tunnel', { uplink: { mtu: 1280 } });
    const far = tunnel.host('far');
    const received = new Promise<Buffer>((resolve) => {
      far.tcp.listen({ port: 80 }, (socket) => resolve(readAll(socket)));
    });
    const address = far.interfaces[0]!.addressOf(4)!;
    const sent = pattern(50_000);
    const sending = pair.client.tcp
      .connect({ remote: { address, port: 80, family: 4 } })
      .then((socket) => socket.write(sent).then(() => socket.end()));
    const [, bytes] = await pair.world.clock.runUntil(Promise.all([sending, received]));
    expect(Buffer.compare(bytes, sent)).toBe(0);
    expect(pair.world.clock.now()).toBeLessThan(1_000);
  });

  it('wait for a reader, and go on when it reads, even when its word of that is lost', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const sent = pattern(3 * 2 ** 20);
    const writing = client.write(sent);
    await pair.world.clock.advance(10_000);
    // The receive buffer of one side and the send buffer of the other, 1 MiB each.
    expect(client.queued).toBe(2 ** 20);
    let lost = 0;
    pair.swallow(pair.client, (packet) => packet.protocol === 'tcp' && packet.segment.window > 0 && lost++ === 0);
    const received = await pair.world.clock.runUntil(
      Promise.all([writing.then(() => client.end()), readAll(server)]),
      3_600_000,
    );
    expect(lost).toBeGreaterThan(0);
    expect(Buffer.compare(received[1], sent)).toBe(0);
  });

  it('are sent again ever more rarely while nobody answers, for a quarter of an hour', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const segments = pair.segments();
    pair.world.happen({ type: 'link', state: 'down', network: 'internet', host: 'server' });
    const reading = client.read().catch((error) => error.code);
    await client.write(Uint8Array.of(1));
    const started = pair.world.clock.now();
    expect(await pair.world.clock.runUntil(reading, 3_600_000)).toBe('ERR_TIMEOUT');
    const gaps = segments.map((line) => Number(line.split(' ')[0])).map((at, i, all) => at - (all[i - 1] ?? at));
    expect(segments).toHaveLength(16);
    for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(gaps[i - 1] ?? 0);
    expect(gaps.at(-1)).toBe(60_000);
    const lasted = pair.world.clock.now() - started;
    expect(lasted).toBeGreaterThan(400_000);
    expect(lasted).toBeLessThan(1_000_000);
    expect(server.connection.state).toBe('established');
  });

  it('come across a silence that is shorter', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    pair.world.happen({ type: 'link', state: 'down', network: 'internet', host: 'server' });
    await client.write(Uint8Array.of(1, 2, 3));
    await pair.world.clock.advance(30_000);
    pair.world.happen({ type: 'link', state: 'up', network: 'internet', host: 'server' });
    expect([...(await pair.world.clock.runUntil(server.read()))!]).toEqual([1, 2, 3]);
  });
});
