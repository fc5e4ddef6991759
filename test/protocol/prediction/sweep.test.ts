import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { NatBehavior } from '../../../src/core/nat-behavior.ts';
import { readSequence } from '../../../src/protocol/prediction/port-sequence.ts';
import { type Predicted, sweep } from '../../../src/protocol/prediction/sweep.ts';
import { createNat, type Nat } from '../../../src/sim/nat/nat.ts';
import { sweepMeeting } from '../../../src/sim/oracle/probability.ts';
import { udpPacket } from '../../../src/sim/packet.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

type Mapping = Exclude<NatBehavior['mapping'], 'unknown'>;

const EI: Mapping = 'endpoint-independent';
const AD: Mapping = 'address-dependent';
const APD: Mapping = 'address-and-port-dependent';

describe('a sweep', () => {
  const sequence = { last: 2000, step: 3 };

  test('goes from port to port', () => {
    const ports = sweep({ sequence, isPerPort: false }, { isPerPort: true }, { role: 'listener', window: 3 });
    expect(ports).toEqual([2003, 2006, 2009]);
  });

  test('goes by double steps on the listener’s side where both sides have a mapping for each port', () => {
    const both = { isPerPort: true };
    expect(sweep({ sequence, isPerPort: true }, both, { role: 'dialer', window: 3 })).toEqual([2003, 2006, 2009]);
    expect(sweep({ sequence, isPerPort: true }, both, { role: 'listener', window: 3 })).toEqual([2003, 2009, 2015]);
  });

  test('of a side that always has the same port is one packet', () => {
    const fixed = { sequence: { last: 4000, step: 0 }, isPerPort: false };
    expect(sweep(fixed, { isPerPort: true }, { role: 'dialer', window: 64 })).toEqual([4000]);
  });
});

describe('two sweeps on real NATs', () => {
  const foreign = [0, 1, 2, 5, 9].flatMap((x) => [0, 1, 3, 8].map((y) => ({ x, y })));

  test.each(foreign)('meet within x + 2y where both have a mapping for each port, x = $x and y = $y', ({ x, y }) => {
    expect(meeting({ mapping: APD, foreign: x }, { mapping: APD, foreign: y })).toBe(sweepMeeting(x, y));
  });

  test.each(foreign)('meet within x + y where one has, x = $x and y = $y', ({ x, y }) => {
    expect(meeting({ mapping: AD, foreign: x }, { mapping: APD, foreign: y })).toBe(x + y);
    expect(meeting({ mapping: APD, foreign: x }, { mapping: AD, foreign: y })).toBe(x + y);
    expect(meeting({ mapping: AD, foreign: x }, { mapping: AD, foreign: y })).toBe(Math.max(x, y));
  });

  test.each([0, 1, 4])('meet where one side has one port for all, y = %i', (y) => {
    expect(meeting({ mapping: EI, foreign: 7 }, { mapping: APD, foreign: y })).toBe(y);
    expect(meeting({ mapping: APD, foreign: y }, { mapping: EI, foreign: 7 })).toBe(y);
    expect(meeting({ mapping: EI, foreign: 0 }, { mapping: AD, foreign: y })).toBe(y);
  });

  test('meet whenever the window is wide enough, whatever the step, and never else', () => {
    const side = fc.record({
      mapping: fc.constantFrom(AD, APD),
      foreign: fc.integer({ min: 0, max: 20 }),
      step: fc.constantFrom(1, 2, 7, 300),
    });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 64 }), (a, b, window) => {
        const needed = meeting(a, b)!;
        expect(needed).toBeLessThanOrEqual(a.foreign + 2 * b.foreign);
        expect(meeting(a, b, window)).toBe(needed < window ? needed : undefined);
      }),
      { numRuns: 60 },
    );
  });
});

interface SideSpec {
  readonly mapping: Mapping;
  /** Ports that others take between the sample and the sweep. */
  readonly foreign: number;
  readonly step?: number;
}

/** The packet of either side by which one has crossed another, if the sweeps of this length do. */
function meeting(dialer: SideSpec, listener: SideSpec, window = 64): number | undefined {
  const a = new SampledSide(dialer, '198.51.100.1');
  const b = new SampledSide(listener, '198.51.100.2');
  a.takeForeign();
  b.takeForeign();
  const toB = sweep(b.predicted, a.predicted, { role: 'dialer', window });
  const toA = sweep(a.predicted, b.predicted, { role: 'listener', window });
  for (let i = 0; i < Math.max(toA.length, toB.length); i++) {
    // A side with one target goes on sending there.
    const fromA = a.leave(endpoint(b.address, toB[i] ?? toB.at(-1)!));
    const fromB = b.leave(endpoint(a.address, toA[i] ?? toA.at(-1)!));
    if (b.lets(fromA) || a.lets(fromB)) return i;
  }
  return undefined;
}

/** A host behind a NAT that gives out ports in sequence and filters by address and port. */
class SampledSide {
  readonly address: string;
  readonly predicted: Predicted;
  readonly #nat: Nat;
  readonly #foreign: number;

  constructor({ mapping, foreign, step = 1 }: SideSpec, address: string) {
    this.address = address;
    this.#foreign = foreign;
    this.#nat = createNat(
      { mapping, filtering: APD, portAllocation: { sequential: step } },
      seededRandom(`${address} ${step}`),
    );
    this.#nat.readdress([address], 0);
    const isFixed = mapping === EI;
    const sampled = [6000, 6001, 6002, isFixed ? SOCKET : 6003].map((port) => this.#open(port, SERVER));
    const sequence = isFixed ? { last: sampled.at(-1)!, step: 0 } : readSequence(sampled)!;
    this.predicted = { sequence, isPerPort: mapping === APD };
  }

  takeForeign(): void {
    for (let i = 0; i < this.#foreign; i++) this.#open(7000 + i, SERVER);
  }

  leave(to: ReturnType<typeof endpoint>): ReturnType<typeof udpPacket> {
    const ruling = this.#nat.outbound(udpPacket(endpoint(HOST, SOCKET), to, NOTHING), 0);
    if (ruling.action !== 'forward' || ruling.packet.protocol !== 'udp')
      throw new Error(`it does not leave: ${ruling.action}`);
    return ruling.packet;
  }

  lets(packet: ReturnType<typeof udpPacket>): boolean {
    return this.#nat.inbound(packet, 0).action === 'forward';
  }

  #open(port: number, to: ReturnType<typeof endpoint>): number {
    const ruling = this.#nat.outbound(udpPacket(endpoint(HOST, port), to, NOTHING), 0);
    if (ruling.action !== 'forward' || ruling.packet.protocol !== 'udp')
      throw new Error(`it does not leave: ${ruling.action}`);
    return ruling.packet.source.port;
  }
}

const HOST = '192.168.1.2';
const SOCKET = 5000;
const SERVER = endpoint('203.0.113.1', 3478);
const NOTHING = new Uint8Array(0);
