import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BINDING, encodeMessage } from '../../../src/protocol/stun/index.ts';
import {
  createTurnStreamDecoder,
  decodeChannelData,
  encodeChannelData,
  FIRST_CHANNEL,
  isChannelData,
  LAST_CHANNEL,
} from '../../../src/protocol/turn/index.ts';

const anyChannelData = fc.record({
  channel: fc.integer({ min: FIRST_CHANNEL, max: LAST_CHANNEL }),
  data: fc.uint8Array({ maxLength: 70 }),
});

describe('ChannelData (RFC 8656 section 12.4)', () => {
  it('looks like this', () => {
    const message = { channel: 0x4001, data: Uint8Array.of(1, 2, 3, 4, 5) };
    expect(Buffer.from(encodeChannelData(message)).toString('hex')).toBe('400100050102030405');
    expect(Buffer.from(encodeChannelData(message, true)).toString('hex')).toBe('400100050102030405000000');
  });

  it('comes back as it was, padded or not', () => {
    fc.assert(
      fc.property(anyChannelData, fc.boolean(), (message, padded) => {
        const bytes = encodeChannelData(message, padded);
        expect(isChannelData(bytes)).toBe(true);
        expect(decodeChannelData(bytes)).toEqual(message);
        if (padded) expect(bytes.length % 4).toBe(0);
      }),
    );
  });

  it.each([
    ['nothing', '', 'header'],
    ['three bytes', '400000', 'header'],
    ['STUN', '00010000', 'header'],
    ['a channel number of RFC 5766', '50000000', 'header'],
    ['data cut short', '4000000401', 'length'],
  ])('%s is refused', (_name, hex, field) => {
    expect(() => decodeChannelData(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', where: `turn/channel-data/${field}` }),
    );
  });

  it('cannot be written for another channel, or too much data', () => {
    expect(() => encodeChannelData({ channel: 0x3fff, data: new Uint8Array(0) })).toThrow(RangeError);
    expect(() => encodeChannelData({ channel: 0x5000, data: new Uint8Array(0) })).toThrow(RangeError);
    expect(() => encodeChannelData({ channel: 0x4000, data: new Uint8Array(65_536) })).toThrow(RangeError);
  });
});

describe('TURN on a stream (RFC 8656 section 12.5)', () => {
  const anyStun = fc.uint8Array({ minLength: 12, maxLength: 12 }).chain((transactionId) =>
    fc.uint8Array({ maxLength: 40 }).map((value) => {
      const attributes = [{ type: 'data', value } as const];
      return encodeMessage({ class: 'indication', method: BINDING, transactionId, attributes });
    }),
  );
  const anyMessage = fc.oneof(
    anyStun,
    anyChannelData.map((message) => encodeChannelData(message, true)),
  );

  it('comes apart into the messages that it was made of, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 60 })),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages);
          const decoder = createTurnStreamDecoder();
          const seen: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const length = cuts[i % cuts.length] ?? bytes.length;
            // Bytes are of the stream until the next chunk comes.
            for (const each of decoder.decode(bytes.subarray(at, at + length))) seen.push(Buffer.from(each));
            at += length;
          }
          expect(seen).toEqual(messages.map((each) => Buffer.from(each)));
        },
      ),
    );
  });

  it('does not mind that a chunk is used again', () => {
    const decoder = createTurnStreamDecoder();
    const [first, second] = ['4000', '000301020300'].map((hex) => Buffer.from(hex, 'hex'));
    expect(decoder.decode(first!)).toEqual([]);
    first!.fill(0xff);
    expect(decoder.decode(second!)).toEqual([Buffer.from('4000000301020300', 'hex')]);
  });

  it('takes a message of 64 KiB in single bytes within reason', () => {
    const message = encodeChannelData({ channel: 0x4000, data: new Uint8Array(65_535) }, true);
    const decoder = createTurnStreamDecoder();
    const seen = Array.from(message, (byte) => decoder.decode(Uint8Array.of(byte)).length);
    expect(seen.reduce((sum, count) => sum + count)).toBe(1);
    expect(seen.at(-1)).toBe(1);
  });

  it.each([
    ['the beginning of TLS', '1603010200010001fc', 'length'],
    ['a channel number of RFC 5766', '50000000', 'type'],
    ['HTTP/2', '505249202a', 'type'],
    ['a STUN length that is no multiple of 4', '000100032112a442', 'length'],
    ['STUN without its cookie', '0001000021120000', 'cookie'],
  ])('%s is refused', (_name, hex, field) => {
    expect(() => createTurnStreamDecoder().decode(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', where: `turn/stream/${field}` }),
    );
  });
});
