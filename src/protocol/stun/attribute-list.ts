import { DecodeError } from '../../core/errors.ts';
import { attributeCode } from './attribute-codec.ts';
import { HEADER_LENGTH } from './header.ts';

/** An attribute as it lies in a message. */
export interface RawAttribute {
  /** 16-bit type. */
  readonly code: number;
  /** Where its type field starts, in bytes from the start of the message. */
  readonly offset: number;
  /** The value without padding; a view. */
  readonly value: Uint8Array;
}

/**
 * The attributes of a whole message that count: those after MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 do not,
 * except for MESSAGE-INTEGRITY-SHA256 after the former and FINGERPRINT after either (RFC 8489 sections 9, 14.5 and
 * 14.6). Throws {@link DecodeError} when a length leads out of the message, or something follows FINGERPRINT.
 */
export function readAttributes(message: Uint8Array): RawAttribute[] {
  const attributes: RawAttribute[] = [];
  let closed: number | undefined;
  for (let offset = HEADER_LENGTH; offset < message.length; ) {
    if (closed === FINGERPRINT) throw new DecodeError('stun/fingerprint/position', 'not the last attribute');
    const code = (message[offset]! << 8) | message[offset + 1]!;
    const length = (message[offset + 2]! << 8) | message[offset + 3]!;
    const start = offset + ATTRIBUTE_HEADER_LENGTH;
    const next = start + paddedLength(length);
    if (next > message.length) throw new DecodeError('stun/attribute/length', `${length} at ${offset}`);
    if (mayFollow(closed, code)) {
      attributes.push({ code, offset, value: message.subarray(start, start + length) });
      if (code === INTEGRITY || code === INTEGRITY_SHA256 || code === FINGERPRINT) closed = code;
    }
    offset = next;
  }
  return attributes;
}

/**
 * Writes type, length, value and zero padding to a multiple of 4 bytes (RFC 8489 section 14) at `offset`; returns where
 * the next attribute goes.
 */
export function writeAttribute(message: Buffer, offset: number, code: number, value: Uint8Array): number {
  const start = offset + ATTRIBUTE_HEADER_LENGTH;
  const next = offset + attributeLength(value.length);
  message.writeUInt16BE(code, offset);
  message.writeUInt16BE(value.length, offset + 2);
  message.set(value, start);
  message.fill(0, start + value.length, next);
  return next;
}

/** Bytes that an attribute takes in a message. */
export function attributeLength(valueLength: number): number {
  return ATTRIBUTE_HEADER_LENGTH + paddedLength(valueLength);
}

const ATTRIBUTE_HEADER_LENGTH = 4;

const INTEGRITY = attributeCode('message-integrity');
const INTEGRITY_SHA256 = attributeCode('message-integrity-sha256');
const FINGERPRINT = attributeCode('fingerprint');

function mayFollow(closed: number | undefined, code: number): boolean {
  if (closed === undefined || code === FINGERPRINT) return true;
  return closed === INTEGRITY && code === INTEGRITY_SHA256;
}

function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
