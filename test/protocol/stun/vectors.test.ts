import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  BINDING,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  longTermKey,
  PASSWORD_ALGORITHMS,
  shortTermKey,
  transactionKey,
  userHash,
  verifyIntegrity,
} from '../../../src/protocol/stun/index.ts';
import {
  LONG_TERM,
  SAMPLE_IPV4_RESPONSE,
  SAMPLE_IPV6_RESPONSE,
  SAMPLE_LONG_TERM_REQUEST,
  SAMPLE_REQUEST,
  SAMPLE_SHA256_REQUEST,
  SHORT_TERM_PASSWORD,
} from '../../vectors/stun.ts';

const shortTerm = shortTermKey(SHORT_TERM_PASSWORD);
const longTerm = longTermKey(LONG_TERM.username, LONG_TERM.realm, LONG_TERM.password);

describe('RFC 5769 vectors', () => {
  it('2.1: reads the sample request', () => {
    const message = decodeMessage(SAMPLE_REQUEST);
    expect(message.class).toBe('request');
    expect(message.method).toBe(BINDING);
    expect(transactionKey(message.transactionId)).toBe('b7e7a701bc34d686fa87dfae');
    expect(message.unknownRequired).toEqual([]);
    expect(message.attributes.slice(0, 4)).toEqual([
      { type: 'software', value: 'STUN test client' },
      { type: 'priority', value: 0x6e0001ff },
      { type: 'ice-controlled', tieBreaker: 0x932ff9b151263b36n },
      { type: 'username', value: 'evtj:h6vY' },
    ]);
    expect(message.attributes.slice(4).map(({ type }) => type)).toEqual(['message-integrity', 'fingerprint']);
    expect(verifyIntegrity(message, shortTerm)).toBe(true);
    expect(verifyIntegrity(message, shortTermKey('VOkJxbRl1RmTxUk/WvJxBu'))).toBe(false);
  });

  it.each([
    ['2.2', SAMPLE_IPV4_RESPONSE, endpoint('192.0.2.1', 32853)],
    ['2.3', SAMPLE_IPV6_RESPONSE, endpoint('2001:db8:1234:5678:11:2233:4455:6677', 32853)],
  ])('%s: reads the sample response', (_section, bytes, mapped) => {
    const message = decodeMessage(bytes);
    expect(message.class).toBe('success');
    expect(attribute(message, 'xor-mapped-address')).toEqual({ type: 'xor-mapped-address', endpoint: mapped });
    expect(attribute(message, 'software')?.value).toBe('test vector');
    expect(verifyIntegrity(message, shortTerm)).toBe(true);
  });

  it('2.4: writes and reads the long-term request, byte for byte', () => {
    const message = decodeMessage(SAMPLE_LONG_TERM_REQUEST);
    expect(verifyIntegrity(message, longTerm)).toBe(true);
    const attributes = message.attributes.filter((a): a is EncodableAttribute => a.type !== 'message-integrity');
    expect(attributes).toEqual([
      { type: 'username', value: LONG_TERM.username },
      { type: 'nonce', value: 'f//499k954d6OL34oL9FSTvy64sA' },
      { type: 'realm', value: LONG_TERM.realm },
    ]);
    const { class: stunClass, method, transactionId } = message;
    const bytes = encodeMessage({ class: stunClass, method, transactionId, attributes }, { integrityKey: longTerm });
    expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(SAMPLE_LONG_TERM_REQUEST).toString('hex'));
  });
});

describe('RFC 8489 appendix B.1', () => {
  it('reads USERHASH and PASSWORD-ALGORITHM, and verifies MESSAGE-INTEGRITY-SHA256', () => {
    const message = decodeMessage(SAMPLE_SHA256_REQUEST);
    const { username, realm, password } = LONG_TERM;
    expect(message.attributes.slice(0, 4)).toEqual([
      { type: 'userhash', value: userHash(username, realm) },
      { type: 'nonce', value: 'obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA' },
      { type: 'realm', value: realm },
      { type: 'password-algorithm', algorithm: PASSWORD_ALGORITHMS.sha256, parameters: Buffer.alloc(0) },
    ]);
    expect(message.unknownRequired).toEqual([]);
    expect(verifyIntegrity(message, longTermKey(username, realm, password, 'sha256'))).toBe(true);
    expect(verifyIntegrity(message, longTerm)).toBe(false);
  });

  it('writes it, byte for byte', () => {
    const { class: stunClass, method, transactionId, attributes } = decodeMessage(SAMPLE_SHA256_REQUEST);
    const { username, realm, password } = LONG_TERM;
    const bytes = encodeMessage(
      {
        class: stunClass,
        method,
        transactionId,
        attributes: attributes.filter((a): a is EncodableAttribute => a.type !== 'message-integrity-sha256'),
      },
      { integrityKey: longTermKey(username, realm, password, 'sha256'), algorithm: 'sha256' },
    );
    expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(SAMPLE_SHA256_REQUEST).toString('hex'));
  });
});

describe('OpaqueString', () => {
  it('composes characters and maps spaces (RFC 8265 section 4.2.2)', () => {
    expect(shortTermKey('pa\u00a0ss e\u0301')).toEqual(shortTermKey('pa ss \u00e9'));
    expect(longTermKey('u', 'r', 'e\u0301')).toEqual(longTermKey('u', 'r', '\u00e9'));
    expect(longTermKey('u', 'r', 'x')).not.toEqual(longTermKey('u', 'r', 'X'));
  });
});
