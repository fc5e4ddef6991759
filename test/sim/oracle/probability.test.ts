import { describe, expect, test } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { Ruling } from '../../../src/sim/middlebox.ts';
import { createNat, type Nat } from '../../../src/sim/nat/nat.ts';
import {
  meanProbes,
  mutualProbability,
  PORT_POOL,
  probesFor,
  sprayProbability,
  sweepMeeting,
} from '../../../src/sim/oracle/probability.ts';
import { udpPacket } from '../../../src/sim/packet.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

describe('spray', () => {
  test('is what counting gives in a small pool', () => {
    const ports = Array.from({ length: 10 }, (_, i) => i);
    const choices = ports.flatMap((a) => ports.flatMap((b) => ports.map((c) => [a, b, c] as const)));
    const distinct = choices.filter(([a, b, c]) => a < b && b < c);
    const hits = distinct.filter((probes) => probes.some((port) => port === 3 || port === 7));
    expect(sprayProbability(2, 3, 10)).toBeCloseTo(hits.length / distinct.length, 12);
    expect(sprayProbability(3, 2, 10)).toBeCloseTo(sprayProbability(2, 3, 10), 12);
  });

  test('256 sockets and 1024 probes of all ports hit with 98.35 %', () => {
    expect(PORT_POOL).toBe(65_535 - 1024 + 1);
    expect(sprayProbability(256, 1024)).toBeCloseTo(0.9835, 4);
    expect(sprayProbability(0, 1024)).toBe(0);
    expect(sprayProbability(600, 600, 1000)).toBe(1);
  });

  test.each([
    [0.5, 175],
    [0.9, 577],
    [0.98, 977],
    [0.999, 1715],
  ])('%f takes %i probes', (probability, probes) => {
    expect(probesFor(probability, 256)).toBe(probes);
    expect(sprayProbability(256, probes)).toBeGreaterThanOrEqual(probability);
    expect(sprayProbability(256, probes - 1)).toBeLessThan(probability);
  });

  test('the first hit takes 251 on average; a smaller pool is far easier', () => {
    expect(Math.round(meanProbes(256))).toBe(251);
    expect(meanProbes(256, 2000)).toBeLessThan(8);
  });

  test('random ports on both sides: 2048 packets a side come to 0.1 %', () => {
    expect(mutualProbability(2048, 2048)).toBeCloseTo(0.001, 4);
    expect(mutualProbability(512, 512)).toBeLessThan(0.0001);
  });
});

describe('two sweeps over ports that are given out in sequence', () => {
  const foreign = [0, 1, 2, 3, 7].flatMap((x) => [0, 1, 2, 5].map((y) => ({ x, y })));

  test.each(foreign)('by single and double steps meet at x + 2y, with x = $x and y = $y', ({ x, y }) => {
    expect(firstMeeting(x, y, { a: 1, b: 2 })).toBe(sweepMeeting(x, y));
  });

  test.each(foreign)('by equal steps only where x + y is 0, with x = $x and y = $y', ({ x, y }) => {
    expect(firstMeeting(x, y, { a: 1, b: 1 })).toBe(x + y === 0 ? 0 : undefined);
  });
});

/**
 * The step at which a packet first gets in, on real NATs: both sides were sampled, others took `x` and `y` ports since, and at each
 * step both send to the next port that they guess, from a new mapping.
 */
function firstMeeting(x: number, y: number, step: { a: number; b: number }): number | undefined {
  const a = sequentialNat('198.51.100.1');
  const b = sequentialNat('198.51.100.2');
  const firstOfA = open(a, 2, 1).port + 1;
  const firstOfB = open(b, 2, 1).port + 1;
  for (let i = 0; i < x; i++) open(a, 3, 100 + i);
  for (let i = 0; i < y; i++) open(b, 3, 100 + i);
  for (let i = 0; i < 40; i++) {
    const fromA = leave(a, endpoint('198.51.100.2', firstOfB + step.a * i));
    const fromB = leave(b, endpoint('198.51.100.1', firstOfA + step.b * i));
    const arrivals = [b.inbound(fromA, 0), a.inbound(fromB, 0)];
    if (arrivals.some(({ action }) => action === 'forward')) return i;
  }
  return undefined;
}

function sequentialNat(address: string): Nat {
  const dependence = 'address-and-port-dependent';
  const spec = { mapping: dependence, filtering: dependence, portAllocation: { sequential: 1 } } as const;
  const nat = createNat(spec, seededRandom(1));
  nat.readdress([address], 0);
  return nat;
}

function open(nat: Nat, host: number, port: number) {
  const ruling = nat.outbound(
    udpPacket(endpoint(`192.168.1.${host}`, 5000), endpoint('203.0.113.1', port), NOTHING),
    0,
  );
  return forwarded(ruling).source;
}

function leave(nat: Nat, to: ReturnType<typeof endpoint>) {
  return forwarded(nat.outbound(udpPacket(endpoint('192.168.1.2', 5000), to, NOTHING), 0));
}

function forwarded(ruling: Ruling) {
  if (ruling.action !== 'forward') throw new Error(`expected a packet, not ${JSON.stringify(ruling)}`);
  return ruling.packet;
}

const NOTHING = new Uint8Array(0);
