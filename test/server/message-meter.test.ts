import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessageMeter } from '../../src/server/message-meter.ts';
import { frame } from './raw-frames.ts';

const TEXT = 0x1;
const CONTINUATION = 0x0;
const PING = 0x9;

describe('the message meter', () => {
  it('counts what has come of a message, and nothing between messages', () => {
    const meter = createMessageMeter();
    const bytes = frame(TEXT, Buffer.alloc(300));
    meter.push(bytes.subarray(0, 5));
    expect(meter).toMatchObject({ begun: 5, complete: 0 });
    meter.push(bytes.subarray(5, 108));
    expect(meter).toMatchObject({ begun: 108, complete: 0 });
    meter.push(bytes.subarray(108));
    expect(meter).toMatchObject({ begun: 0, complete: 1 });
  });

  it('counts fragments together, and not the pings between them', () => {
    const meter = createMessageMeter();
    meter.push(frame(TEXT, Buffer.alloc(10), { fin: false }));
    meter.push(frame(PING, Buffer.alloc(20)));
    meter.push(frame(CONTINUATION, Buffer.alloc(10), { fin: false }));
    expect(meter).toMatchObject({ begun: 2 * (6 + 10), complete: 0 });
    meter.push(frame(CONTINUATION, Buffer.alloc(0)));
    expect(meter).toMatchObject({ begun: 0, complete: 1 });
  });

  it('comes to the same however the bytes are cut', () => {
    const message = fc.record({
      opcode: fc.constantFrom(TEXT, 0x2, PING),
      length: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536, 70_000),
      fin: fc.boolean(),
      masked: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 40_000 })),
        (messages, cuts) => {
          const frames = messages.map(({ opcode, length, fin, masked }) =>
            frame(opcode, Buffer.alloc(length), { fin: fin || opcode === PING, masked }),
          );
          const bytes = Buffer.concat(frames);
          const [whole, parts] = [createMessageMeter(), createMessageMeter()];
          whole.push(bytes);
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const length = cuts[i % Math.max(1, cuts.length)] ?? 1_000;
            parts.push(bytes.subarray(at, at + length));
            at += length;
          }
          expect([parts.begun, parts.complete]).toEqual([whole.begun, whole.complete]);
          const data = messages.filter(({ opcode }) => opcode !== PING);
          expect(whole.complete).toBe(data.filter(({ fin }) => fin).length);
          expect(whole.begun === 0).toBe(data.at(-1)?.fin ?? true);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });
});
