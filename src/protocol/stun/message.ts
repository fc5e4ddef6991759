/** STUN messages, whole: RFC 8489 sections 5, 6.3 and 14. */
import { DecodeError } from '../../core/errors.ts';
import type { EncodableAttribute, StunAttribute } from './attribute.ts';
import { attributeCode, attributeType, decodeValue, encodeValue, isComprehensionRequired } from './attribute-codec.ts';
import { attributeLength, readAttributes, writeAttribute } from './attribute-list.ts';
import { asBuffer } from './buffer.ts';
import { computeFingerprint } from './fingerprint.ts';
import {
  decodeMessageType,
  encodeMessageType,
  HEADER_LENGTH,
  isStunMessage,
  MAGIC_COOKIE,
  type StunClass,
  TRANSACTION_ID_LENGTH,
} from './header.ts';
import { computeIntegrity, DIGEST_LENGTHS, INTEGRITY_CODES, type IntegrityAlgorithm } from './integrity.ts';

/** A received message. */
export interface StunMessage {
  readonly class: StunClass;
  /** 0..0xfff. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** In the order of the message; unknown ones are left out. */
  readonly attributes: readonly StunAttribute[];
  /** Types of the comprehension-required attributes that this codec does not know, each once. */
  readonly unknownRequired: readonly number[];
  /** The bytes that the message was decoded from; not a copy. */
  readonly raw: Uint8Array;
}

/** A message to be sent. */
export interface OutgoingMessage {
  readonly class: StunClass;
  /** 0..0xfff. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  readonly attributes: readonly EncodableAttribute[];
}

export interface EncodeOptions {
  /** Adds MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 under this key. */
  readonly integrityKey?: Uint8Array;
  /** `sha1` by default, which is what ICE uses (RFC 8445 section 7.1). */
  readonly algorithm?: IntegrityAlgorithm;
  /** Adds FINGERPRINT; false by default. */
  readonly fingerprint?: boolean;
}

/**
 * Decodes a whole datagram. FINGERPRINT is verified where there is one; integrity is not, see `verifyIntegrity`.
 * Throws {@link DecodeError} at `stun/<attribute>/<field>`, and nothing else, whatever the bytes.
 */
export function decodeMessage(bytes: Uint8Array): StunMessage {
  if (!isStunMessage(bytes)) throw new DecodeError('stun/header');
  const transactionId = new Uint8Array(bytes.subarray(8, HEADER_LENGTH));
  const attributes: StunAttribute[] = [];
  const unknownRequired = new Set<number>();
  for (const { code, offset, value } of readAttributes(bytes)) {
    const type = attributeType(code);
    if (type === undefined) {
      if (isComprehensionRequired(code)) unknownRequired.add(code);
      continue;
    }
    const attribute = decodeValue(type, value, transactionId) as StunAttribute;
    if (attribute.type === 'fingerprint' && attribute.value !== computeFingerprint(bytes.subarray(0, offset))) {
      throw new DecodeError('stun/fingerprint/value');
    }
    attributes.push(attribute);
  }
  return {
    transactionId,
    attributes,
    unknownRequired: [...unknownRequired],
    raw: bytes,
    ...decodeMessageType(asBuffer(bytes).readUInt16BE(0)),
  };
}

/** Throws `RangeError` when the method, the transaction ID or an attribute's field is out of its range. */
export function encodeMessage(message: OutgoingMessage, options: EncodeOptions = {}): Uint8Array {
  const { integrityKey, algorithm = 'sha1', fingerprint = false } = options;
  const values = message.attributes.map((each) => encodeValue(each, message.transactionId));
  const plain = values.reduce((sum, { length }) => sum + attributeLength(length), HEADER_LENGTH);
  const signed = plain + (integrityKey === undefined ? 0 : attributeLength(DIGEST_LENGTHS[algorithm]));
  const bytes = Buffer.allocUnsafe(signed + (fingerprint ? attributeLength(4) : 0));
  writeHeader(bytes, message);
  let end = HEADER_LENGTH;
  for (const [i, { type }] of message.attributes.entries()) {
    end = writeAttribute(bytes, end, attributeCode(type), values[i]!);
  }
  if (integrityKey !== undefined) {
    const digest = computeIntegrity(bytes.subarray(0, plain), integrityKey, algorithm);
    end = writeAttribute(bytes, plain, INTEGRITY_CODES[algorithm], digest);
  }
  if (fingerprint) {
    const value = computeFingerprint(bytes.subarray(0, end));
    writeAttribute(bytes, end, FINGERPRINT, encodeValue({ type: 'fingerprint', value }, message.transactionId));
  }
  return bytes;
}

const FINGERPRINT = attributeCode('fingerprint');

/** The length field is that of the whole message (RFC 8489 section 5). */
function writeHeader(bytes: Buffer, { class: stunClass, method, transactionId }: OutgoingMessage): void {
  if (!Number.isInteger(method) || method < 0 || method > 0xfff) throw new RangeError(`not a STUN method: ${method}`);
  if (transactionId.length !== TRANSACTION_ID_LENGTH) throw new RangeError('a transaction ID has 12 bytes');
  bytes.writeUInt16BE(encodeMessageType(stunClass, method), 0);
  bytes.writeUInt16BE(bytes.length - HEADER_LENGTH, 2);
  bytes.writeUInt32BE(MAGIC_COOKIE, 4);
  bytes.set(transactionId, 8);
}
