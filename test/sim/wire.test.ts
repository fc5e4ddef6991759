import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import type { LinkSpec } from '../../src/sim/link-spec.ts';
import { type Packet, udpPacket } from '../../src/sim/packet.ts';
import { simulation } from '../../src/sim/simulation.ts';
import { Wire } from '../../src/sim/wire.ts';

interface Carried {
  /** Numbers of the packets, in the order in which they arrived. */
  readonly arrived: number[];
  /** ms, likewise. */
  readonly at: number[];
  readonly dropped: Record<string, number>;
}

/** Sends `count` packets of 100 bytes on the wire (128 with headers), one each `gap` ms. */
async function carry(spec: LinkSpec, { count, gap = 1, seed = 1 }: { count: number; gap?: number; seed?: number }) {
  const world = simulation(seed);
  const wire = new Wire(world, 'wire', spec);
  const carried: Carried = { arrived: [], at: [], dropped: {} };
  world.log.watch(({ reason = '' }) => {
    carried.dropped[reason] = (carried.dropped[reason] ?? 0) + 1;
  });
  for (let i = 0; i < count; i++) {
    world.clock.setTimeout(() => {
      wire.carry(numbered(i), (packet) => {
        carried.arrived.push(numberOf(packet));
        carried.at.push(world.clock.now());
      });
    }, i * gap);
  }
  await world.clock.run();
  return carried;
}

function numbered(i: number): Packet {
  const payload = new Uint8Array(100);
  new DataView(payload.buffer).setUint32(0, i);
  return udpPacket(endpoint('192.0.2.1', 1), endpoint('192.0.2.2', 2), payload);
}

function numberOf(packet: Packet): number {
  return packet.protocol === 'udp' ? new DataView(packet.payload.buffer).getUint32(0) : -1;
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a wire', () => {
  it('is perfect when nothing is said of it', async () => {
    expect(await carry({}, { count: 3 })).toEqual({ arrived: [0, 1, 2], at: [0, 1, 2], dropped: {} });
  });

  it('takes its latency, to the microsecond', async () => {
    expect((await carry({ latency: 20.0005 }, { count: 2 })).at).toEqual([20.001, 21.001]);
  });

  it('adds jitter within its bounds, and keeps the order', async () => {
    const { arrived, at } = await carry({ latency: 10, jitter: 5 }, { count: 1_000, gap: 20 });
    expect(arrived).toEqual(inOrder(1_000));
    const delays = at.map((time, i) => time - 20 * i);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(15.001);
    const mean = delays.reduce((sum, delay) => sum + delay) / delays.length;
    expect(mean).toBeGreaterThan(12.2);
    expect(mean).toBeLessThan(12.8);
    expect((await carry({ jitter: 5 }, { count: 1_000, gap: 0.1 })).arrived).toEqual(inOrder(1_000));
  });

  it('loses its share, each packet by its own chance', async () => {
    const { arrived, dropped } = await carry({ loss: 0.1 }, { count: 10_000 });
    expect(dropped).toEqual({ lost: 10_000 - arrived.length });
    expect(dropped.lost).toBeGreaterThan(900);
    expect(dropped.lost).toBeLessThan(1_100);
    expect((await carry({ loss: 1 }, { count: 100 })).arrived).toEqual([]);
  });

  it('loses in bursts of a mean length (Gilbert, Elliott)', async () => {
    const { arrived, dropped } = await carry({ burstLoss: { begin: 0.01, end: 0.2 } }, { count: 50_000 });
    const gaps = arrived
      .slice(1)
      .map((number, i) => number - arrived[i]! - 1)
      .filter((gap) => gap > 0);
    const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
    // Bursts of 1 / 0.2 packets, and 0.01 / (0.01 + 0.2) of all lost.
    expect(mean).toBeGreaterThan(4);
    expect(mean).toBeLessThan(6);
    expect(dropped['lost in a burst']).toBeGreaterThan(1_900);
    expect(dropped['lost in a burst']).toBeLessThan(2_900);
  });

  it('lets some through in a burst that loses a share', async () => {
    const { dropped } = await carry({ burstLoss: { begin: 1, end: 0, loss: 0.5 } }, { count: 2_000 });
    expect(dropped['lost in a burst']).toBeGreaterThan(900);
    expect(dropped['lost in a burst']).toBeLessThan(1_100);
  });

  it('holds a share back, so that later packets overtake them', async () => {
    const { arrived, at } = await carry({ reorder: { share: 0.1, delay: 5.5 } }, { count: 1_000 });
    expect([...arrived].sort((a, b) => a - b)).toEqual(inOrder(1_000));
    const late = arrived.filter((number, i) => at[i]! > number);
    expect(late.length).toBeGreaterThan(60);
    expect(late.length).toBeLessThan(140);
    for (const number of late) {
      const overtakers = [1, 2, 3, 4, 5].map((i) => number + i).filter((next) => next < 1_000 && !late.includes(next));
      for (const next of overtakers) expect(arrived.indexOf(next)).toBeLessThan(arrived.indexOf(number));
    }
  });

  it('brings a share twice', async () => {
    const { arrived } = await carry({ duplicate: 0.1 }, { count: 1_000 });
    expect(new Set(arrived).size).toBe(1_000);
    expect(arrived.length).toBeGreaterThan(1_060);
    expect(arrived.length).toBeLessThan(1_140);
  });

  it('sends at its rate, and lets a bounded number wait', async () => {
    // 128 bytes at 1,024,000 bits a second: 1 ms each. Of 20 at once, one is being sent and 1,500 bytes wait.
    const { arrived, at, dropped } = await carry({ rate: 1_024_000, queue: 1_500 }, { count: 20, gap: 0 });
    expect(at).toEqual(inOrder(11).map((i) => i + 1));
    expect(arrived).toEqual(inOrder(11));
    expect(dropped).toEqual({ 'queue full': 9 });
  });

  it('loses what is sent, or arrives, while it is down', async () => {
    const world = simulation(1);
    const wire = new Wire(world, 'wire', { latency: 10 });
    const [reasons, arrived] = [[] as unknown[], [] as number[]];
    world.log.watch(({ at, reason }) => reasons.push([at, reason]));
    const send = (i: number): void => wire.carry(numbered(i), (packet) => arrived.push(numberOf(packet)));
    send(0);
    world.clock.setTimeout(() => {
      wire.up = false;
      send(1);
    }, 5);
    world.clock.setTimeout(() => {
      wire.up = true;
      send(2);
    }, 15);
    await world.clock.run();
    expect(arrived).toEqual([2]);
    expect(reasons).toEqual([
      [5, 'link down'],
      [10, 'link down'],
    ]);
  });

  it('does the same for the same seed, and something else for another', async () => {
    const spec: LinkSpec = { latency: 5, jitter: 9, loss: 0.05, duplicate: 0.05, reorder: { share: 0.05, delay: 3 } };
    const [first, again, other] = await Promise.all([1, 1, 2].map((seed) => carry(spec, { count: 500, seed })));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});
