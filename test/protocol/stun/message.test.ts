import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  attribute,
  BINDING,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  errorResponse,
  isStunMessage,
  shortTermKey,
  unknownAttributesResponse,
  verifyIntegrity,
} from '../../../src/protocol/stun/index.ts';
import { SAMPLE_IPV4_RESPONSE, SAMPLE_REQUEST, SHORT_TERM_PASSWORD } from '../../vectors/stun.ts';
import { anyMessage } from './arbitraries.ts';

const transactionId = Uint8Array.from({ length: 12 }, (_, i) => i);
const key = shortTermKey('secret');

describe('isStunMessage', () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['a short datagram', (bytes) => bytes.subarray(0, 19)],
    ['a set top bit', (bytes) => bytes.with(0, 0x40)],
    ['another cookie', (bytes) => bytes.with(7, 0x43)],
    ['a length that is no multiple of 4', (bytes) => bytes.with(3, bytes[3]! + 1)],
    ['a length beyond the datagram', (bytes) => bytes.with(3, bytes[3]! + 4)],
    ['bytes after the message', (bytes) => Uint8Array.of(...bytes, 0, 0, 0, 0)],
  ])('refuses %s', (_name, spoil) => {
    expect(isStunMessage(SAMPLE_REQUEST)).toBe(true);
    const bytes = spoil(SAMPLE_REQUEST);
    expect(isStunMessage(bytes)).toBe(false);
    expect(() => decodeMessage(bytes)).toThrow(DecodeError);
  });
});

describe('round trip', () => {
  it('gives back every message, under every kind of protection', () => {
    const protection = fc.constantFrom(undefined, 'sha1' as const, 'sha256' as const);
    fc.assert(
      fc.property(anyMessage, protection, fc.boolean(), (message, algorithm, fingerprint) => {
        const bytes = encodeMessage(message, {
          fingerprint,
          ...(algorithm === undefined ? {} : { algorithm, integrityKey: key }),
        });
        const decoded = decodeMessage(bytes);
        const { class: stunClass, method, transactionId, attributes } = decoded;
        const given = attributes.filter(({ type }) => !/^message-integrity|^fingerprint/.test(type));
        expect({ class: stunClass, method, transactionId, attributes: given }).toEqual(message);
        expect(attributes.some(({ type }) => type === 'fingerprint')).toBe(fingerprint);
        expect(verifyIntegrity(decoded, key)).toBe(algorithm !== undefined);
        expect(verifyIntegrity(decoded, shortTermKey('other'))).toBe(false);
      }),
    );
  });

  it('takes the first of repeated attributes', () => {
    const values = ['first', 'second'].map((value): EncodableAttribute => ({ type: 'software', value }));
    const bytes = encodeMessage({ class: 'request', method: BINDING, transactionId, attributes: values });
    expect(attribute(decodeMessage(bytes), 'software')?.value).toBe('first');
    expect(attribute(decodeMessage(bytes), 'realm')).toBeUndefined();
  });
});

describe('hostile input', () => {
  it('gives DecodeError or a message, for any bytes after a sound header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), fc.nat({ max: 0x3fff }), (body, type) => {
        expectOnlyDecodeError(withHeader(type, body.subarray(0, body.length & ~3)));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives DecodeError or a message, for any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
        expectOnlyDecodeError(bytes);
      }),
    );
  });

  it('notices every change of one byte: FINGERPRINT covers the whole message', () => {
    const changes = fc.tuple(fc.nat({ max: SAMPLE_REQUEST.length - 1 }), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(changes, ([at, mask]) => {
        const bytes = SAMPLE_REQUEST.with(at, SAMPLE_REQUEST[at]! ^ mask);
        const message = expectOnlyDecodeError(bytes);
        // A change in the type or length of FINGERPRINT itself can turn it into something else; integrity stands before it.
        if (at < SAMPLE_REQUEST.length - 8) expect(message).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('verifies integrity of no message in which a covered byte was changed', () => {
    const covered = SAMPLE_IPV4_RESPONSE.length - 8;
    const unprinted = withHeader(0x0101, SAMPLE_IPV4_RESPONSE.subarray(20, covered));
    unprinted.set(SAMPLE_IPV4_RESPONSE.subarray(8, 20), 8);
    expect(verifyIntegrity(decodeMessage(unprinted), shortTermKey(SHORT_TERM_PASSWORD))).toBe(true);
    fc.assert(
      fc.property(fc.nat({ max: covered - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const message = expectOnlyDecodeError(unprinted.with(at, unprinted[at]! ^ mask));
        if (message !== undefined) expect(verifyIntegrity(message, shortTermKey(SHORT_TERM_PASSWORD))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('strictness', () => {
  it.each<[string, string, number, number[]]>([
    ['a value beyond the message', 'stun/attribute/length', 0x8022, [0, 5, 1, 2, 3, 4]],
    ['padding beyond the message', 'stun/attribute/length', 0x8022, [0, 9, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['an unknown address family', 'stun/xor-mapped-address/family', 0x0020, [0, 8, 0, 3, 0, 1, 1, 2, 3, 4]],
    ['an IPv6 address cut short', 'stun/mapped-address/length', 0x0001, [0, 8, 0, 2, 0, 1, 1, 2, 3, 4]],
    ['an IPv4 address with a tail', 'stun/other-address/length', 0x802c, [0, 12, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['an empty address', 'stun/xor-mapped-address/family', 0x0020, [0, 0]],
    ['a name that is not UTF-8', 'stun/username/utf-8', 0x0006, [0, 2, 0xc3, 0x28, 0, 0]],
    ['an error class of 2', 'stun/error-code/class', 0x0009, [0, 4, 0, 0, 2, 0]],
    ['an error number of 100', 'stun/error-code/number', 0x0009, [0, 4, 0, 0, 4, 100]],
    ['an error code cut short', 'stun/error-code/length', 0x0009, [0, 3, 0, 0, 4, 0]],
    ['a priority of 5 bytes', 'stun/priority/length', 0x0024, [0, 5, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['USE-CANDIDATE with a value', 'stun/use-candidate/length', 0x0025, [0, 4, 0, 0, 0, 0]],
    ['a tie-breaker of 4 bytes', 'stun/ice-controlling/length', 0x802a, [0, 4, 0, 0, 0, 0]],
    ['an odd list of types', 'stun/unknown-attributes/length', 0x000a, [0, 3, 0, 1, 0, 0]],
    ['a short MESSAGE-INTEGRITY', 'stun/message-integrity/length', 0x0008, [0, 4, 0, 0, 0, 0]],
    ['a truncated MESSAGE-INTEGRITY-SHA256', 'stun/message-integrity-sha256/length', 0x001c, [0, 16, ...zeros(16)]],
    ['a wrong FINGERPRINT', 'stun/fingerprint/value', 0x8028, [0, 4, 1, 2, 3, 4]],
    ['a long USERNAME', 'stun/username/length', 0x0006, [1, 0xfd, ...zeros(512)]],
    ['a SOFTWARE of 128 characters', 'stun/software/length', 0x8022, [0, 128, ...zeros(128)]],
    ['a REALM of 512 bytes', 'stun/realm/length', 0x0014, [2, 0, ...zeros(512)]],
  ])('refuses %s at %s', (_name, where, code, lengthAndValue) => {
    const bytes = withHeader(0x0001, Uint8Array.of(code >> 8, code & 0xff, ...lengthAndValue));
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ code: 'ERR_DECODE', where }));
  });

  it('refuses anything after FINGERPRINT', () => {
    const printed = encodeMessage(request([]), { fingerprint: true });
    const bytes = withHeader(0x0001, Uint8Array.of(...printed.subarray(20), 0x80, 0x22, 0, 0));
    bytes.set(transactionId, 8);
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ where: 'stun/fingerprint/position' }));
  });

  it('reads a multi-byte SOFTWARE of 127 characters and more than 127 bytes', () => {
    const value = '\u{1f6aa}'.repeat(127);
    const bytes = withHeader(0x0001, Uint8Array.of(0x80, 0x22, 1, 0xfc, ...Buffer.from(value)));
    expect(attribute(decodeMessage(bytes), 'software')?.value).toBe(value);
  });

  it('ignores what follows integrity, except for the stronger integrity and FINGERPRINT', () => {
    const sealed = encodeMessage(request([]), { integrityKey: key });
    const late = Uint8Array.of(0x00, 0x25, 0, 0, 0x7f, 0xff, 0, 0);
    const bytes = withHeader(0x0001, Uint8Array.of(...sealed.subarray(20), ...late));
    bytes.set(transactionId, 8);
    const message = decodeMessage(bytes);
    expect(message.attributes.map(({ type }) => type)).toEqual(['message-integrity']);
    expect(message.unknownRequired).toEqual([]);
    expect(verifyIntegrity(message, key)).toBe(true);
  });

  it('lists unknown comprehension-required attributes once, and skips optional ones', () => {
    const body = [0x7f, 0xff, 0, 0, 0x00, 0x27, 0, 4, 0, 0, 0, 0, 0x7f, 0xff, 0, 0, 0xff, 0xff, 0, 0];
    const message = decodeMessage(withHeader(0x0001, Uint8Array.from(body)));
    expect(message.unknownRequired).toEqual([0x7fff, 0x0027]);
    expect(message.attributes).toEqual([]);
  });

  it.each<[string, EncodableAttribute]>([
    ['a USERNAME of 509 bytes', { type: 'username', value: 'x'.repeat(509) }],
    ['a NONCE of 128 characters', { type: 'nonce', value: 'x'.repeat(128) }],
    ['an error code of 299', { type: 'error-code', code: 299, reason: '' }],
    ['a priority of 2^32', { type: 'priority', value: 2 ** 32 }],
    ['a host name', { type: 'mapped-address', endpoint: { address: 'stun.example.org', port: 1, family: 4 } }],
  ])('does not write %s', (_name, attributeToWrite) => {
    expect(() => encodeMessage(request([attributeToWrite]))).toThrow(RangeError);
  });

  it('does not write a transaction ID of 16 bytes or a method of 13 bits', () => {
    expect(() => encodeMessage({ ...request([]), transactionId: new Uint8Array(16) })).toThrow(RangeError);
    expect(() => encodeMessage({ ...request([]), method: 0x1000 })).toThrow(RangeError);
  });
});

describe('error responses', () => {
  it('answers under the same transaction, with the reason of the RFC', () => {
    const message = decodeMessage(encodeMessage(errorResponse(request([]), 487)));
    expect(message).toMatchObject({ class: 'error', method: BINDING, transactionId });
    expect(attribute(message, 'error-code')).toEqual({ type: 'error-code', code: 487, reason: 'Role Conflict' });
  });

  it('names the unknown attributes in a 420', () => {
    const asked = decodeMessage(withHeader(0x0001, Uint8Array.of(0x7f, 0xff, 0, 0, 0x00, 0x27, 0, 0)));
    const message = decodeMessage(encodeMessage(unknownAttributesResponse(asked)));
    expect(attribute(message, 'error-code')?.code).toBe(420);
    expect(attribute(message, 'unknown-attributes')?.types).toEqual([0x7fff, 0x0027]);
  });
});

it('keeps IPv4-mapped IPv6 addresses in one form', () => {
  const mapped = endpoint('::ffff:192.0.2.1', 9);
  const bytes = encodeMessage(request([{ type: 'xor-mapped-address', endpoint: mapped }]));
  expect(attribute(decodeMessage(bytes), 'xor-mapped-address')?.endpoint).toEqual(endpoint('192.0.2.1', 9));
});

function request(attributes: EncodableAttribute[]) {
  return { class: 'request' as const, method: BINDING, transactionId, attributes };
}

function withHeader(type: number, body: Uint8Array): Uint8Array {
  const length = [body.length >> 8, body.length & 0xff];
  return Uint8Array.of(type >> 8, type & 0xff, ...length, 0x21, 0x12, 0xa4, 0x42, ...zeros(12), ...body);
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function expectOnlyDecodeError(bytes: Uint8Array) {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return undefined;
  }
}
