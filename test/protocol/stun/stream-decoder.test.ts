import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BINDING,
  createStunStreamDecoder,
  encodeMessage,
  type OutgoingMessage,
} from '../../../src/protocol/stun/index.ts';
import { SAMPLE_REQUEST } from '../../vectors/stun.ts';

const LONGEST = 548;

function request(user: string): Uint8Array {
  const message: OutgoingMessage = {
    class: 'request',
    method: BINDING,
    transactionId: new Uint8Array(12),
    attributes: [{ type: 'username', value: user }],
  };
  return encodeMessage(message);
}

const hex = (messages: readonly Uint8Array[]): string[] => messages.map((each) => Buffer.from(each).toString('hex'));

describe('STUN messages on a byte stream', () => {
  it('come out whole, however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        (users, cuts) => {
          const sent = users.map(request);
          const bytes = Buffer.concat(sent);
          const decoder = createStunStreamDecoder(LONGEST);
          const seen: string[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const next = at + cuts[i % cuts.length]!;
            seen.push(...hex(decoder.decode(bytes.subarray(at, next))));
            at = next;
          }
          expect(seen).toEqual(hex(sent));
        },
      ),
    );
  });

  it('are not given before their last byte', () => {
    const decoder = createStunStreamDecoder(LONGEST);
    expect(decoder.decode(SAMPLE_REQUEST.subarray(0, -1))).toEqual([]);
    expect(hex(decoder.decode(SAMPLE_REQUEST.subarray(-1)))).toEqual(hex([SAMPLE_REQUEST]));
  });

  it.each<[string, string, string]>([
    ['stun/stream/type', 'something else', `40010000${'2112a442'}${'00'.repeat(12)}`],
    ['stun/stream/cookie', 'no magic cookie', `00010000${'2112a443'}${'00'.repeat(12)}`],
    ['stun/stream/length', 'a length that is not aligned', `00010002${'2112a442'}${'00'.repeat(12)}`],
    ['stun/stream/length', 'a message that is too long', `00010214${'2112a442'}${'00'.repeat(12)}`],
  ])('are refused as %s for %s', (where, _what, bytes) => {
    const decoder = createStunStreamDecoder(LONGEST);
    expect(() => decoder.decode(Buffer.from(bytes, 'hex'))).toThrow(expect.objectContaining({ where }));
  });

  it('may be as long as was said', () => {
    const longest = Buffer.concat([Buffer.from(`00010210${'2112a442'}${'00'.repeat(12)}`, 'hex'), Buffer.alloc(528)]);
    expect(longest).toHaveLength(LONGEST);
    expect(createStunStreamDecoder(LONGEST).decode(longest)).toHaveLength(1);
  });
});
