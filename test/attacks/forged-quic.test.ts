import { describe, expect, it, vi } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { isQuicPacket } from '../../src/streams/demultiplex.ts';
import { createWorld } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { hostileNetwork } from './hostile-network.ts';
import { openOffPath } from './off-path.ts';
import { connectionIdsOf, QUIC_FORGERIES } from './quic-forgery.ts';
import { otherSide, SIDES, type Target, target } from './target.ts';
import { connected, EXCHANGED, exchange } from './victims.ts';

const EACH = 200;
/** The longest that data may be held up, in ms: the burst itself fills the victim's socket, and QUIC has to repeat what did not fit. */
const BEARABLE = 2500;

/** Runs an attack against a connection that stands: nobody may notice, and nobody may answer. */
async function withstand(pair: Target, attack: () => Promise<void>): Promise<void> {
  const beat = await startHeartbeat(pair);
  const before = SIDES.map((side) => pair.pathOf(side));
  await attack();
  const beats = beat.beats;
  await vi.waitFor(() => expect(beat.beats).toBeGreaterThan(beats + 10), { timeout: 5000 });
  await beat.stop();
  expect(beat.longest()).toBeLessThan(BEARABLE);
  expect(SIDES.map((side) => pair.pathOf(side))).toEqual(before);
  expect(await exchange(pair)).toEqual(EXCHANGED);
}

describe.concurrent('an attacker off the path who knows ports and connection ids', () => {
  it.each(Object.entries(QUIC_FORGERIES))('does not end a session by %s, and gets no answer', async (_, forge) => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    await withstand(pair, async () => {
      for (const side of SIDES) {
        const { connectionId } = pair.sessions[side];
        const from = pair.networks[otherSide(side)].victim;
        for (let i = 0; i < EACH; i++) {
          attacker.send(forge(connectionId, i), pair.networks[side].victim);
          pair.networks[side].forge({ data: forge(connectionId, i), from });
        }
      }
      // All that came in the other side's name has reached the sessions, and what UDP has not lost of the rest.
      await vi.waitFor(() => {
        for (const side of SIDES) expect(pair.sessions[side].stats().ignoredPackets).toBeGreaterThanOrEqual(EACH);
      });
    });
    expect(attacker.heard).toEqual([]);
    attacker.close();
  });

  it.each<[string, (packet: Uint8Array) => Uint8Array]>([
    ['repeats from another address', (packet) => packet],
    ['repeats, a bit flipped', (packet) => flipped(packet)],
    ['repeats, cut short', (packet) => packet.subarray(0, packet.length - 1)],
  ])('does not end a session by true packets that it %s', async (_, change) => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    await exchange(pair, Buffer.alloc(20_000));
    await withstand(pair, async () => {
      for (const side of SIDES) {
        const packets = pair.networks[side].sniffed.filter(({ data }) => isQuicPacket(data));
        expect(packets.length).toBeGreaterThan(10);
        for (const { data, to } of packets) {
          for (let i = 0; i < 5; i++) attacker.send(change(data), to);
          // And back to where it came from.
          attacker.send(change(data), pair.networks[side].victim);
        }
      }
      await vi.waitFor(() => {
        for (const side of SIDES) expect(pair.sessions[side].stats().ignoredPackets).toBeGreaterThan(20);
      });
    });
    expect(attacker.heard).toEqual([]);
    attacker.close();
  });
});

describe.concurrent('an attacker who sees the handshake and is quicker than either side', () => {
  it.each(Object.entries(QUIC_FORGERIES))('does not end it by %s', async (_, forge) => {
    await using world = createWorld();
    const networks = [hostileNetwork(), hostileNetwork()] as const;
    let forged = 0;
    for (const network of networks) {
      network.intercept = ({ data, to }) => {
        const ids = isQuicPacket(data) ? connectionIdsOf(data) : undefined;
        if (ids !== undefined) {
          forged++;
          for (const from of [to, endpoint('127.0.0.1', 9)]) network.forge({ data: forge(ids.source, forged), from });
        }
        return false;
      };
    }
    const pair = await connected(world, {
      listener: { env: { network: networks[0] }, policy: 'direct-only' },
      dialer: { env: { network: networks[1] }, policy: 'direct-only' },
    });
    expect(forged).toBeGreaterThan(0);
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });
});

function flipped(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy[copy.length - 3]! ^= 1;
  return copy;
}
