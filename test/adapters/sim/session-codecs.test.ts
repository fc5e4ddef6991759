import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simIdentity } from '../../../src/adapters/sim/index.ts';
import { decodeFrames, type Frame, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import { LONG_HEADER_LENGTH, longHeader, readPackets, shortHeader } from '../../../src/adapters/sim/session/packet.ts';
import { PacketKeys } from '../../../src/adapters/sim/session/packet-keys.ts';
import { isProofOf, prove } from '../../../src/adapters/sim/session/proof.ts';
import { RangeSet } from '../../../src/adapters/sim/session/range-set.ts';
import { SparseBytes } from '../../../src/adapters/sim/session/sparse-bytes.ts';
import { ByteReader, varintLength, writeVarint } from '../../../src/adapters/sim/session/varint.ts';
import { DecodeError } from '../../../src/core/errors.ts';
import { seededRandom } from '../../../src/sim/index.ts';
import { writeFrame } from './write-frame.ts';

describe('varint', () => {
  // RFC 9000 appendix A.1; the example of 8 bytes there is above 2^53-1.
  it.each([
    ['7bbd', 15_293],
    ['25', 37],
    ['9d7f3e7d', 494_878_333],
    ['c01fffffffffffff', Number.MAX_SAFE_INTEGER],
  ])('%s is %d', (hex, value) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(new ByteReader(bytes, 'x').varint()).toBe(value);
    const written = Buffer.alloc(bytes.length);
    expect(writeVarint(written, 0, value)).toBe(bytes.length);
    expect(written).toEqual(bytes);
    expect(varintLength(value)).toBe(bytes.length);
  });

  it.each(['c2197c5eff14e88c', 'c020000000000000', '7b', 'c0', ''])('%s is none', (hex) => {
    const reader = new ByteReader(Buffer.from(hex, 'hex'), 'here');
    expect(() => reader.varint()).toThrow(expect.objectContaining({ code: 'ERR_DECODE', where: 'here' }));
  });

  it('reads any longer spelling', () => {
    expect(new ByteReader(Buffer.from('4025', 'hex'), 'x').varint()).toBe(37);
  });
});

describe('frames', () => {
  const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const ranges = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), { minLength: 1, maxLength: 32 })
    .map((pairs) => {
      let first = 0;
      const up = pairs.map(([gap, length]) => {
        const range = { first: first + gap, last: first + gap + length };
        first = range.last + 2;
        return range;
      });
      return up.reverse();
    });
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({ type: fc.constantFrom('ping', 'handshake-done') }),
    fc.record({ type: fc.constant('ack'), ranges, delay: number }),
    fc.record({ type: fc.constant('reset-stream'), id: number, code: number, finalSize: number }),
    fc.record({ type: fc.constant('stream'), id: number, offset: number, bytes, fin: fc.boolean() }),
    fc.record({ type: fc.constantFrom('max-data', 'max-streams'), limit: number }),
    fc.record({ type: fc.constant('max-stream-data'), id: number, limit: number }),
    fc.record({ type: fc.constant('connection-close'), code: number, reason: fc.string({ maxLength: 60 }) }),
    fc.record({ type: fc.constant('datagram'), bytes }),
  );

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 10 }), (frames) => {
        const writer = new FrameWriter(10_000);
        writer.begin(10_000);
        for (const one of frames) writeFrame(writer, one);
        expect(decodeFrames(writer.payload)).toEqual(frames);
      }),
    );
  });

  it('throw nothing but DecodeError at arbitrary bytes, and are no more than fit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        try {
          expect(decodeFrames(Buffer.from(array)).length).toBeLessThanOrEqual(array.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('say how much of a stream there is room for', () => {
    const writer = new FrameWriter(100);
    writer.begin(60);
    const room = writer.streamRoom(4, 70_000);
    writer.stream(4, 70_000, room, false, () => {});
    // A length below 64 takes one byte of the two that were put by.
    expect(writer.room).toBe(1);
  });
});

describe('packets', () => {
  const [one, two] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];

  it('begin as QUIC’s do', () => {
    expect(longHeader('initial', one, two, 300).toString('hex')).toBe(
      `c0${'73696d01'}10${one.toString('hex')}10${two.toString('hex')}012c`,
    );
    expect(longHeader('handshake', one, two, 0)[0]).toBe(0xe0);
    expect(shortHeader(one, 258).toString('hex')).toBe(`40${one.toString('hex')}00000102`);
  });

  it('come together in a datagram, a short one last', () => {
    const body = Buffer.from('body');
    const datagram = Buffer.concat([
      longHeader('initial', one, two, body.length),
      body,
      longHeader('handshake', two, one, 0),
      shortHeader(two, 7),
      body,
    ]);
    expect([...readPackets(datagram)]).toMatchObject([
      { form: 'long', type: 'initial', destination: one, source: two, body },
      { form: 'long', type: 'handshake', destination: two, source: one, body: Buffer.alloc(0) },
      { form: 'short', destination: two, number: 7, body },
    ]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a short header without a body', shortHeader(one, 1)],
    ['a long header that is cut', longHeader('initial', one, two, 0).subarray(0, LONG_HEADER_LENGTH - 1)],
    ['a body that is cut', longHeader('initial', one, two, 5)],
    ['QUIC version 1', changed(longHeader('initial', one, two, 0), 4, 0x00)],
    ['a shorter connection id', changed(longHeader('initial', one, two, 0), 5, 8)],
    ['another type', changed(longHeader('initial', one, two, 0), 0, 0xd0)],
    ['STUN', Buffer.alloc(100)],
  ])('are not found in %s', (_, bytes) => {
    expect([...readPackets(bytes)]).toEqual([]);
  });

  it('are sealed: header, number and body', () => {
    const keys = new PacketKeys(Buffer.alloc(28, 1));
    const header = shortHeader(one, 5);
    const body = keys.seal(header, 5, Buffer.from('secret')).subarray(header.length);
    expect(keys.open(header, 5, body)).toEqual(Buffer.from('secret'));
    expect(body.includes('secret')).toBe(false);
    expect(keys.open(header, 6, body)).toBeUndefined();
    expect(keys.open(shortHeader(two, 5), 5, body)).toBeUndefined();
    expect(keys.open(header, 5, body.subarray(1))).toBeUndefined();
    expect(keys.open(header, 5, Buffer.alloc(3))).toBeUndefined();
    expect(new PacketKeys(Buffer.alloc(28, 2)).open(header, 5, body)).toBeUndefined();
  });

  it('are never sealed alike: each number has a nonce of its own', () => {
    const keys = new PacketKeys(Buffer.alloc(28, 1));
    const numbers = [0, 1, 2, 255, 256, 2 ** 31, 2 ** 32 - 1];
    const sealed = numbers.map((number) => keys.seal(Buffer.alloc(0), number, Buffer.alloc(16)).toString('hex'));
    expect(new Set(sealed).size).toBe(numbers.length);
  });
});

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

describe('a proof', () => {
  const random = seededRandom(1);
  const [alice, bob] = [simIdentity(random), simIdentity(random)];
  const hash = Buffer.alloc(32, 7);
  const proof = prove(alice, 'client', hash);

  it('is that of its identity, in its role, for its transcript', () => {
    expect(isProofOf(alice.publicKey, proof, 'client', hash)).toBe(true);
    expect(isProofOf(bob.publicKey, proof, 'client', hash)).toBe(false);
    expect(isProofOf(alice.publicKey, proof, 'server', hash)).toBe(false);
    expect(isProofOf(alice.publicKey, proof, 'client', Buffer.alloc(32, 8))).toBe(false);
  });

  it('is none of whoever merely knows the key', () => {
    const forged = Buffer.concat([alice.publicKey, prove(bob, 'client', hash).subarray(32)]);
    expect(isProofOf(alice.publicKey, forged, 'client', hash)).toBe(false);
  });
});

describe('RangeSet', () => {
  it('does what a set of numbers does', () => {
    const order = fc.record({
      adds: fc.boolean(),
      start: fc.integer({ min: 0, max: 40 }),
      length: fc.integer({ min: 0, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(order, { maxLength: 40 }), (orders) => {
        const ranges = new RangeSet();
        const model = new Set<number>();
        for (const { adds, start, length } of orders) {
          for (let value = start; value < start + length; value++) {
            if (adds) model.add(value);
            else model.delete(value);
          }
          if (adds) ranges.add(start, start + length);
          else ranges.remove(start, start + length);
        }
        const all = Array.from({ length: 60 }, (_, value) => value);
        expect(all.filter((value) => ranges.has(value))).toEqual(all.filter((value) => model.has(value)));
        expect(listed(ranges)).toEqual(all.filter((value) => model.has(value)));
        const gaps = [...ranges.gaps(3, 50)].flatMap(({ start, end }) => all.slice(start, end));
        expect(gaps).toEqual(all.slice(3, 50).filter((value) => !model.has(value)));
        for (const value of all)
          expect(ranges.endOf(value)).toBe(all.find((end) => end >= value && !model.has(end)) ?? 60);
        for (let place = 1; place < ranges.size; place++) {
          expect(ranges.at(place).start).toBeGreaterThan(ranges.at(place - 1).end);
        }
      }),
    );
  });

  function listed(ranges: RangeSet): number[] {
    const values: number[] = [];
    for (let place = 0; place < ranges.size; place++) {
      const { start, end } = ranges.at(place);
      for (let value = start; value < end; value++) values.push(value);
    }
    return values;
  }
});

describe('SparseBytes', () => {
  it('gives back what was written, across its pages and out of order', () => {
    const bytes = new SparseBytes();
    const content = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7) % 251));
    for (const [from, to] of [
      [15_000, 20_000],
      [0, 1],
      [4_095, 4_097],
      [1, 4_095],
      [4_000, 15_001],
    ] as const) {
      bytes.write(from, content.subarray(from, to));
    }
    const copy = Buffer.alloc(20_002);
    bytes.copy(0, 20_000, copy, 1);
    expect(copy.subarray(1, 20_001).equals(content)).toBe(true);
    bytes.drop(0, 9_000);
    bytes.copy(9_000, 11_000, copy, 0);
    expect(copy.subarray(0, 11_000).equals(content.subarray(9_000))).toBe(true);
  });
});
