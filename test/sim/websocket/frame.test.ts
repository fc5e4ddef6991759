import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { DecodeError } from '../../../src/core/errors.ts';
import { encodeFrame, type Frame, FrameDecoder, type Role } from '../../../src/sim/websocket/frame.ts';

const ROLES: readonly Role[] = ['client', 'server'];

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: fc.string({ unit: 'grapheme', maxLength: 300 }) }),
  fc.record({ type: fc.constant('binary' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const) }),
  fc.record({
    type: fc.constant('close' as const),
    code: fc.integer({ min: 1000, max: 4999 }),
    reason: fc.string({ maxLength: 40 }),
  }),
);

/** The frames as they come out of a decoder that is given the bytes in pieces of these sizes. */
function decode(bytes: Uint8Array, from: Role, sizes: readonly number[] = []): Frame[] {
  const decoder = new FrameDecoder(from);
  const frames: Frame[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    frames.push(...decoder.decode(bytes.subarray(at, at + size)));
    at += size;
  }
  return frames.map((frame) => (frame.type === 'binary' ? { ...frame, bytes: Uint8Array.from(frame.bytes) } : frame));
}

describe('frames', () => {
  it('come out as they went in, however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.constantFrom(...ROLES),
        fc.array(fc.integer({ min: 0, max: 40 })),
        (frames, role, sizes) => {
          const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, role)));
          expect(decode(bytes, role, sizes)).toEqual(frames);
        },
      ),
    );
  });

  it.each([0, 125, 126, 65_535, 65_536, 196_608])('of %d bytes are as the WebSocket library writes them', (length) => {
    const payload = Buffer.alloc(length, 7);
    for (const role of ROLES) {
      const options = { fin: true, opcode: 2, mask: role === 'client', readOnly: true, rsv1: false };
      const theirs = frameOf(payload, { ...options, generateMask: (key: Uint8Array) => key.fill(0) });
      const ours = encodeFrame({ type: 'binary', bytes: payload }, role);
      expect(Buffer.compare(ours, Buffer.concat(theirs))).toBe(0);
      expect(decode(ours, role)).toHaveLength(1);
    }
  });

  it.each<[string, Role, number[]]>([
    ['a continuation', 'server', [0x80, 0]],
    ['a fragment', 'server', [0x02, 0]],
    ['a compressed message', 'server', [0xc2, 0]],
    ['an opcode that is reserved', 'server', [0x83, 0]],
    ['a mask of a server', 'server', [0x82, 0x80, 0, 0, 0, 0]],
    ['no mask of a client', 'client', [0x82, 0]],
    ['a mask that changes something', 'client', [0x82, 0x80, 0, 0, 0, 1]],
    ['a message of 192 KiB and a byte', 'server', [0x82, 127, 0, 0, 0, 0, 0, 3, 0, 1]],
    ['a length beyond all numbers', 'server', [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255]],
    ['a long control frame', 'server', [0x89, 126, 0, 126]],
    ['a ping with a payload', 'server', [0x89, 1, 0]],
    ['a close frame without a code', 'server', [0x88, 0]],
    ['text that is no UTF-8', 'server', [0x81, 1, 0xff]],
  ])('are refused: %s', (_what, from, bytes) => {
    expect(() => decode(Uint8Array.from(bytes), from)).toThrow(DecodeError);
  });

  it('throw nothing but DecodeError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...ROLES), (bytes, from) => {
        try {
          decode(bytes, from);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

/** `Sender.frame` of `ws`, which its types leave out. */
const { frame: frameOf } = (ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }).Sender;
