import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import { createFrameDecoder, frameDatagram, MAX_FRAMED } from '../../../src/protocol/framing/frame.ts';

const datagram = fc.uint8Array({ minLength: 0, maxLength: MAX_FRAMED });

/** The bytes in chunks that end at these places, which may come in any order and repeat. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What a decoder makes of the chunks, copied, since a datagram is valid only until its chunk is changed. */
function decodeAll(chunks: readonly Uint8Array[]): readonly string[] {
  const decoder = createFrameDecoder();
  return chunks.flatMap((chunk) => {
    const given = Uint8Array.from(chunk);
    const decoded = decoder.decode(given).map((each) => Buffer.from(each).toString('hex'));
    given.fill(0xff);
    return decoded;
  });
}

describe('an RFC 4571 frame', () => {
  it('is the length in two bytes, then the datagram', () => {
    expect(frameDatagram(Uint8Array.of(7, 8, 9))).toEqual(Uint8Array.of(0, 3, 7, 8, 9));
    expect(frameDatagram(new Uint8Array(0x0102)).subarray(0, 2)).toEqual(Uint8Array.of(1, 2));
  });

  it('holds 1,500 bytes and no more', () => {
    expect(frameDatagram(new Uint8Array(1500))).toHaveLength(1502);
    expect(() => frameDatagram(new Uint8Array(1501))).toThrow(RangeError);
  });
});

describe('the frame decoder', () => {
  it('gives the datagrams back however the stream was cut', () => {
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (datagrams, places) => {
        const chunks = cut(Buffer.concat(datagrams.map(frameDatagram)), places);
        const filled = datagrams.filter(({ length }) => length > 0);
        expect(decodeAll(chunks)).toEqual(filled.map((each) => Buffer.from(each).toString('hex')));
      }),
    );
  });

  it('reads a stream byte by byte', () => {
    const stream = Buffer.concat([frameDatagram(Uint8Array.of(1)), frameDatagram(Uint8Array.of(2, 3))]);
    expect(decodeAll([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(['01', '0203']);
  });

  it('passes over empty frames', () => {
    expect(decodeAll([Uint8Array.of(0, 0, 0, 0, 0, 1, 5, 0, 0)])).toEqual(['05']);
  });

  it('refuses a longer datagram as soon as its length is there', () => {
    const decoder = createFrameDecoder();
    expect(decoder.decode(Uint8Array.of(0x05))).toEqual([]);
    expect(() => decoder.decode(Uint8Array.of(0xdd))).toThrow(new DecodeError('frame/length', '1501 bytes'));
    expect(createFrameDecoder().decode(Uint8Array.of(0x05, 0xdc))).toEqual([]);
  });

  it('throws nothing but DecodeError, and gives nothing but datagrams of 1 to 1,500 bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 50 }), (chunks) => {
        const decoder = createFrameDecoder();
        try {
          for (const each of chunks.flatMap((chunk) => decoder.decode(chunk))) {
            expect(each.length).toBeGreaterThan(0);
            expect(each.length).toBeLessThanOrEqual(MAX_FRAMED);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
