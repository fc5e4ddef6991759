import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import { seededChance } from './bytes.ts';
import type { SessionLink } from './session-link.ts';
import { echo, type SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** What sessions make of packets that are not theirs. */
export function packetTests(test: Test<SessionBench>): void {
  test('ignores garbage, truncated, altered and foreign packets, before and during the handshake', async (bench) => {
    const foreign: Uint8Array[] = [];
    bench.link().onPacket = (packet) => foreign.push(Uint8Array.from(packet));
    const link = bench.link();
    for (const packet of garbage(200)) link.server.receive(packet);
    for (const packet of garbage(200)) link.client.receive(packet);
    link.onPacket = (packet) => {
      for (const bad of [packet.slice(0, packet.length >> 1), packet.slice(0, 3), altered(packet)]) {
        link.server.receive(bad);
        link.client.receive(bad);
      }
    };
    await link.established();
    for (const packet of foreign) link.client.receive(packet);
    expect(await echo(link, Buffer.from('still here'))).toEqual(Buffer.from('still here'));
    expect(link.server.stats().ignoredPackets).toBeGreaterThanOrEqual(200);
  });

  test('tells authentic packets from altered, foreign and repeated ones, and takes them in', async (bench) => {
    const [link, foreign] = [await bench.connect(), await bench.connect()];
    const [packet, stranger] = [await nextPacket(link), await nextPacket(foreign)];
    stranger.set(packet.subarray(0, 17)); // the connection id that the server listens to
    const arrived = firstValueFrom(link.server.datagrams.incoming$);
    const verdicts = [altered(packet), stranger, packet, packet].map((one) => link.server.authenticate(one));
    expect(Buffer.from(await arrived)).toEqual(Buffer.from('x'));
    expect(verdicts).toEqual([false, false, true, false]);
  });
}

/** The packet of a datagram from the client, kept from the server. */
async function nextPacket(link: SessionLink): Promise<Uint8Array> {
  await link.quiet();
  link.blackHole = true;
  const packet = new Promise<Uint8Array>((resolve) => {
    link.onPacket = (bytes) => resolve(Uint8Array.from(bytes));
  });
  link.client.datagrams.send(Buffer.from('x'));
  return packet;
}

/** Random bytes of all lengths, most with a header that looks like QUIC's. */
function garbage(count: number): Uint8Array[] {
  const chance = seededChance(99);
  return Array.from({ length: count }, (_, i) => {
    const packet = Uint8Array.from({ length: Math.floor(1300 * chance()) }, () => Math.floor(256 * chance()));
    if (packet.length > 40 && i % 4 > 0) packet.set([[0xc0, 0xe0, 0x40, 0xf0][i % 4]!, 0, 0, 0, i % 2, 16]);
    return packet;
  });
}

function altered(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy[copy.length >> 1]! ^= 0x10;
  return copy;
}
