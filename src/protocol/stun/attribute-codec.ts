/** Attribute values on the wire: one codec a type, by the type's number in the IANA "STUN Attributes" registry. */
import { DecodeError } from '../../core/errors.ts';
import type { AttributeFields, AttributeOf, AttributeType } from './attribute.ts';
import { decodeErrorCode, encodeErrorCode } from './error-code.ts';
import { passwordAlgorithm, passwordAlgorithms } from './password-algorithm.ts';
import { PHRASE_LIMITS, USERNAME_LIMITS } from './text.ts';
import { TURN_CODECS } from './turn-attributes.ts';
import { address, type Codec, exactly, fixedBytes, flag, text, uint32, xorredAddress } from './value-codec.ts';

/** The 16-bit type of an attribute. */
export function attributeCode(type: AttributeType): number {
  return CODECS[type].code;
}

/** The name of a 16-bit type, or `undefined` when this codec does not understand it. */
export function attributeType(code: number): AttributeType | undefined {
  return TYPES.get(code);
}

/** Types below 0x8000 must be understood by whoever gets them (RFC 8489 section 14). */
export function isComprehensionRequired(code: number): boolean {
  return code < 0x8000;
}

/** The value, without type, length and padding. Throws `RangeError` when a field is out of its range. */
export function encodeValue<T extends AttributeType>(attribute: AttributeOf<T>, transactionId: Uint8Array): Uint8Array {
  const codec: Codec<AttributeFields[T]> = CODECS[attribute.type];
  return codec.encode(attribute, transactionId);
}

/** Throws {@link DecodeError} at `stun/<type>/<field>`. */
export function decodeValue<T extends AttributeType>(
  type: T,
  value: Uint8Array,
  transactionId: Uint8Array,
): AttributeOf<T> {
  const codec: Codec<AttributeFields[T]> = CODECS[type];
  return { type, ...codec.decode(value, transactionId) };
}

const CODECS: { readonly [T in AttributeType]: Codec<AttributeFields[T]> } = {
  'mapped-address': address(0x0001, 'mapped-address'),
  'change-request': changeRequest(0x0003),
  username: text(0x0006, 'username', USERNAME_LIMITS),
  'message-integrity': fixedBytes(0x0008, 'message-integrity', 20),
  'error-code': {
    code: 0x0009,
    encode: encodeErrorCode,
    decode: (value) => decodeErrorCode(value, 'error-code'),
  },
  'unknown-attributes': typeList(0x000a, 'unknown-attributes'),
  realm: text(0x0014, 'realm', PHRASE_LIMITS),
  nonce: text(0x0015, 'nonce', PHRASE_LIMITS),
  'message-integrity-sha256': fixedBytes(0x001c, 'message-integrity-sha256', 32),
  'password-algorithm': passwordAlgorithm(0x001d, 'password-algorithm'),
  userhash: fixedBytes(0x001e, 'userhash', 32),
  'xor-mapped-address': xorredAddress(0x0020, 'xor-mapped-address'),
  priority: uint32(0x0024, 'priority'),
  'use-candidate': flag(0x0025, 'use-candidate'),
  'password-algorithms': passwordAlgorithms(0x8002, 'password-algorithms'),
  software: text(0x8022, 'software', PHRASE_LIMITS),
  'alternate-server': address(0x8023, 'alternate-server'),
  fingerprint: uint32(0x8028, 'fingerprint'),
  'ice-controlled': tieBreaker(0x8029, 'ice-controlled'),
  'ice-controlling': tieBreaker(0x802a, 'ice-controlling'),
  'response-origin': address(0x802b, 'response-origin'),
  'other-address': address(0x802c, 'other-address'),
  ...TURN_CODECS,
};

const TYPES: ReadonlyMap<number, AttributeType> = new Map(
  (Object.keys(CODECS) as AttributeType[]).map((type) => [CODECS[type].code, type]),
);

function tieBreaker(code: number, name: string): Codec<{ readonly tieBreaker: bigint }> {
  return {
    code,
    encode({ tieBreaker }) {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigUInt64BE(tieBreaker);
      return bytes;
    },
    decode: (bytes) => ({ tieBreaker: exactly(8, bytes, name).readBigUInt64BE() }),
  };
}

function typeList(code: number, name: string): Codec<{ readonly types: readonly number[] }> {
  return {
    code,
    encode: ({ types }) => Uint8Array.from(types.flatMap((type) => [type >> 8, type & 0xff])),
    decode(bytes) {
      if (bytes.length % 2 !== 0) throw new DecodeError(`stun/${name}/length`);
      return { types: Array.from({ length: bytes.length / 2 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!) };
    },
  };
}

/** CHANGE-REQUEST: bit 0x4 asks for another IP address, bit 0x2 for another port (RFC 5780 section 7.2). */
function changeRequest(code: number): Codec<AttributeFields['change-request']> {
  return {
    code,
    encode: ({ changeIp, changePort }) => Uint8Array.of(0, 0, 0, (changeIp ? 0x04 : 0) | (changePort ? 0x02 : 0)),
    decode(bytes) {
      const flags = exactly(4, bytes, 'change-request').readUInt32BE();
      return { changeIp: (flags & 0x04) !== 0, changePort: (flags & 0x02) !== 0 };
    },
  };
}
