import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { tcpPacket } from '../../../src/sim/packet.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';
import { addressOf } from '../datagrams.ts';
import { TcpPair } from './pair.ts';

describe('a host under hostile segments', () => {
  it('keeps its connection, its bounds and its peace', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const stranger = pair.world.host('stranger');
    const random = seededRandom('hostile');
    const [own, target] = [addressOf(stranger), addressOf(pair.server)];
    for (let i = 0; i < 20_000; i++) {
      const flags = random.below(16);
      const segment = {
        syn: (flags & 1) > 0,
        ack: (flags & 2) > 0,
        fin: (flags & 4) > 0,
        rst: (flags & 8) > 0,
        // Often near what a handshake from 0 would be.
        sequence: random.below(3) === 0 ? random.uint32() : random.below(4),
        acknowledgement: random.uint32(),
        window: random.below(2) * random.uint32(),
        ...(random.below(2) === 0 && { mss: random.below(65_536) }),
        payload: random.bytes(random.below(20)),
      };
      const port = random.below(4) === 0 ? 81 : 80;
      stranger.send(tcpPacket(endpoint(own, 1 + random.below(50)), endpoint(target, port), segment));
      if (i % 1_000 === 0) await pair.world.clock.advance(1);
    }
    await pair.world.clock.advance(1_000);
    expect(pair.server.tcp.size).toBeLessThanOrEqual(51);
    await client.write(Uint8Array.of(1, 2, 3));
    expect([...(await pair.world.clock.runUntil(server.read()))!]).toEqual([1, 2, 3]);
    await pair.world.clock.run(600_000);
    expect(pair.server.tcp.size).toBe(1);
  });

  it('bounds what waits for an earlier segment, and takes the rest when it comes again', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const first = server.connection;
    const { acknowledgement, sequence } = await nextOf(pair, client.write(Uint8Array.of(0)));
    await pair.world.clock.runUntil(server.read());
    for (let i = 0; i < 5_000; i++) {
      const early = {
        ack: true,
        sequence: sequence + 3 + 2 * i,
        acknowledgement,
        window: 65_535,
        payload: Uint8Array.of(i),
      };
      first.receive(tcpPacket(client.local, server.local, early).segment);
    }
    const filler = { ack: true, sequence: sequence + 1, acknowledgement, window: 65_535, payload: new Uint8Array(2) };
    first.receive(tcpPacket(client.local, server.local, filler).segment);
    expect((await server.read())?.length).toBe(2);
    expect((await server.read())?.length).toBe(1);
  });
});

/** Numbers of the segment that carries what is written. */
async function nextOf(pair: TcpPair, writing: Promise<void>): Promise<{ sequence: number; acknowledgement: number }> {
  const found = new Promise<{ sequence: number; acknowledgement: number }>((resolve) => {
    pair.world.watch(({ fate, packet }) => {
      if (fate === 'delivered' && packet.protocol === 'tcp' && packet.segment.payload.length === 1)
        resolve(packet.segment);
    });
  });
  await writing;
  return pair.world.clock.runUntil(found);
}
